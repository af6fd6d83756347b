import type { Report } from '../../model/report.ts';
import type { Facts } from '../facts.ts';
import type { PackItem } from '../pack-items.ts';
import type { EvidencePack } from '../pack.ts';
import { plainLine } from '../template/markdown.ts';
import type { Claim } from './claim.ts';

/** What a narrator needs of redaction (lib/redaction/redactor.ts). */
export interface PackRedactor {
  open(options?: { keep?: Iterable<string> }): { redactDeep<T>(value: T): T };
}

/** What a narrative is written from. */
export interface Packed {
  facts: Facts;
  report: Report;
  pack: EvidencePack;
}

/** A placeholder is not cut because what it stands for was short. */
const SHORTEST = 120;

/** The pack without secrets and personal data, and what its names are called at home. */
export interface Cleared {
  pack: EvidencePack;
  names: ReadonlyMap<string, string>;
}

/** Where a cut text of the pack comes from; itself when that is not known. */
type Original = (cut: string) => string;

/** Redaction sees texts as they came: a key that was cut in two, or joined over a sign that nobody sees, is one no longer. */
function originals({ incident, templates, changes }: Facts, report: Report): Original {
  const texts = [
    incident.title,
    ...templates.flatMap(({ example, template }) => [example, template]),
    ...changes.map(({ change }) => change.description),
    ...report.evidence.flatMap(({ value }) => (typeof value === 'string' ? [value] : [])),
  ];
  return (cut) => texts.find((text) => plainLine(text, cut.length) === cut) ?? cut;
}

function uncut(pack: EvidencePack, original: Original): EvidencePack {
  const items = pack.items.map((item) => ({
    ...item,
    ...(typeof item.value === 'string' && { value: original(item.value) }),
    ...(item.text !== undefined && { text: original(item.text) }),
  }));
  return { ...pack, items, incident: { ...pack.incident, title: original(pack.incident.title) } };
}

/** As long as the pack has it. */
function cut(text: string, as: string): string {
  return plainLine(text, Math.max(as.length, SHORTEST));
}

function cutAgain(cleared: EvidencePack, pack: EvidencePack): EvidencePack {
  const items = cleared.items.map((item, i) => {
    const { value, text } = pack.items[i] as PackItem;
    return {
      ...item,
      ...(typeof value === 'string' && { value: cut(String(item.value), value) }),
      ...(text !== undefined && { text: cut(item.text ?? '', text) }),
    };
  });
  return { ...cleared, items, incident: { ...cleared.incident, title: cut(cleared.incident.title, pack.incident.title) } };
}

function addName(names: Map<string, string>, name: string, original: string): void {
  // Two names that look the same from outside are told apart by nobody.
  names.set(name, names.has(name) && names.get(name) !== original ? '' : original);
}

/** Throws what redaction throws: then nothing may be sent. */
export function clear(redactor: PackRedactor, { facts, report, pack }: Packed): Cleared {
  const versions = pack.items.flatMap(({ role, value }) => (role === 'version' ? [String(value)] : []));
  const session = redactor.open({ keep: [...pack.services, ...versions] });
  const cleared = cutAgain(session.redactDeep(uncut(pack, originals(facts, report))), pack);
  const names = new Map<string, string>();
  for (const [i, name] of cleared.services.entries()) addName(names, name, pack.services[i] as string);
  for (const [i, { feature }] of cleared.items.entries()) {
    if (feature !== null) addName(names, feature, pack.items[i]?.feature ?? '');
  }
  return { pack: cleared, names };
}

/** A claim in the names of home. */
export function atHome(claim: Claim, names: ReadonlyMap<string, string>): Claim {
  const { subject, feature } = claim;
  return { ...claim, subject: names.get(subject) ?? subject, feature: feature === null ? null : (names.get(feature) ?? feature) };
}
