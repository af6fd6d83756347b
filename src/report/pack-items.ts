import type { Evidence } from '../model/report.ts';
import type { AnomalyFacts, FeatureFacts } from './evidence-anomalies.ts';
import type { ChangeFacts } from './evidence-changes.ts';
import type { TemplateFacts } from './evidence-templates.ts';
import { placeOf } from './evidence.ts';
import type { Fact } from './evidence.ts';
import type { Facts } from './facts.ts';
import { plainLine } from './template/markdown.ts';

export type PackRole =
  | 'observed'
  | 'expected'
  | 'ratio'
  | 'change'
  | 'template'
  | 'cause'
  | 'moment'
  | 'endpoint'
  | 'version'
  | 'call'
  | 'history';

/** One evidence item of the report, as small as it can be said. */
export interface PackItem {
  /** As in the report's evidence. */
  id: string;
  type: Evidence['type'];
  service: string;
  feature: string | null;
  /** Rounded to six digits, cut to one short line: the exact value stands in the report. */
  value: number | string;
  unit: string;
  at: { from: string; to: string };
  role: PackRole;
  direction?: 'up' | 'down';
  /** Id of the expected value of an observed one, and the other way round. */
  pair?: string;
  /** Example of an error message, or what a change says of itself. */
  text?: string;
}

/** What is kept longest first: the reverse of the order in which items are dropped. */
export const PACK_GROUPS = [
  'main',
  'change',
  'causes',
  'templates',
  'other_services',
  'endpoints',
  'counts',
  'calls',
  'other_changes',
  'history',
  'moments',
  'details',
] as const;
export type PackGroup = (typeof PACK_GROUPS)[number];

const MAX_TEXT = 240;
const ROLE_OF_TYPE: Record<Evidence['type'], PackRole> = {
  metric: 'observed',
  expected: 'expected',
  anomaly: 'moment',
  ratio: 'ratio',
  change: 'change',
  template: 'template',
  event: 'moment',
  incident: 'moment',
  endpoint: 'endpoint',
  version: 'version',
  call: 'call',
};

/** Evidence by the place that facts have, each with its number. */
function numbered(evidence: readonly Evidence[]): Map<string, Evidence> {
  const byId = new Map(evidence.map((item) => [item.id, item]));
  const factOf = (item: Evidence): Fact => {
    const { id: _, derived, ...rest } = item;
    if (derived === undefined || derived.rule === 'count') return { ...rest, ...(derived && { derived }) };
    const [first, second] = derived.of.map((id) => byId.get(id));
    return first && second ? { ...rest, derived: { rule: derived.rule, of: [factOf(first), factOf(second)] } } : rest;
  };
  return new Map(evidence.map((item) => [placeOf(factOf(item)), item]));
}

function shortTime(iso: string): string {
  return iso.replace('.000Z', 'Z');
}

type Said = Partial<Pick<PackItem, 'role' | 'direction' | 'pair' | 'text'>>;

/** The report's evidence, by group, the most telling of a group first; every item is in one group. */
export class PackItems {
  readonly groups = new Map<PackGroup, PackItem[]>(PACK_GROUPS.map((group) => [group, []]));
  readonly #places: Map<string, Evidence>;
  readonly #taken = new Set<string>();

  constructor(facts: Facts, evidence: readonly Evidence[]) {
    this.#places = numbered(evidence);
    this.#addLead(facts);
    this.#addOthers(facts);
    this.#addSurroundings(facts);
    for (const item of evidence) this.#put('details', item, {});
  }

  /** Ids of those facts that are in the report. */
  ids(facts: readonly (Fact | undefined)[]): string[] {
    return facts.flatMap((fact) => (fact && this.#places.get(placeOf(fact))?.id) ?? []);
  }

  #add(group: PackGroup, fact: Fact | undefined, said: Said = {}): void {
    const item = fact && this.#places.get(placeOf(fact));
    if (item) this.#put(group, item, said);
  }

  #put(group: PackGroup, item: Evidence, said: Said): void {
    if (this.#taken.has(item.id)) return;
    this.#taken.add(item.id);
    const { id, type, service, feature, value, unit, from, to } = item;
    const short = typeof value === 'number' ? Number(value.toPrecision(6)) : plainLine(value, MAX_TEXT);
    const { role = ROLE_OF_TYPE[type], text, ...rest } = said;
    const example = text === undefined ? {} : { text: plainLine(text, MAX_TEXT) };
    const packed: PackItem = {
      id,
      type,
      service,
      feature,
      value: short,
      unit,
      at: { from: shortTime(from), to: shortTime(to) },
      role,
      ...rest,
      ...example,
    };
    this.groups.get(group)?.push(packed);
  }

  #addFeature(group: PackGroup, { attribution, observed, expected, ratio }: FeatureFacts): void {
    const { direction } = attribution;
    const [seen, usual] = [this.ids([observed])[0], this.ids([expected])[0]];
    this.#add(group, observed, { role: 'observed', direction, ...(usual !== undefined && { pair: usual }) });
    this.#add(group, expected, { role: 'expected', ...(seen !== undefined && { pair: seen }) });
    this.#add(group, ratio, { role: 'ratio', direction });
  }

  #addAnomaly(group: PackGroup, { features, startedAt }: AnomalyFacts): void {
    for (const feature of features) this.#addFeature(group, feature);
    this.#add(group, startedAt, { role: 'moment' });
  }

  #addChange(group: PackGroup, { change, at, version, description }: ChangeFacts): void {
    this.#add(group, at, { role: 'change', ...(change.description !== '' && { text: change.description }) });
    this.#add(group, version, { role: 'version' });
    this.#add(group, description, { role: 'change' });
  }

  #addTemplate(group: PackGroup, { change, count, event, rise, example, template }: TemplateFacts): void {
    const text = example === '' ? template : example;
    const direction = change === 'vanished' ? 'down' : 'up';
    this.#add(group, count ?? event, { role: 'template', direction, text });
    this.#add(group, rise, { role: 'ratio', direction });
  }

  #addLead({ main, nearest, reasons, templates, lead }: Facts): void {
    if (main) this.#addAnomaly('main', main);
    if (nearest) this.#addChange('change', nearest);
    for (const { reason } of reasons) this.#add('causes', reason, { role: 'cause' });
    for (const facts of templates) {
      if (facts.service === lead && facts.change !== 'vanished') this.#addTemplate('templates', facts);
    }
  }

  #addOthers({ services, impact, templates }: Facts): void {
    for (const { anomalies } of services) for (const anomaly of anomalies) this.#addAnomaly('other_services', anomaly);
    for (const { sample, lastEvent, during, before, latencyWorst } of impact) {
      this.#add('endpoints', lastEvent, { role: 'moment' });
      for (const { name, count, slowest } of sample?.endpoints ?? []) {
        this.#add('endpoints', name, { role: 'endpoint' });
        this.#add('endpoints', slowest ?? count, { role: 'observed', direction: 'up' });
      }
      for (const { name, count, slowest } of sample?.versions ?? []) {
        this.#add('endpoints', name, { role: 'version' });
        this.#add('endpoints', slowest ?? count, { role: 'observed', direction: 'up' });
      }
      for (const fact of [during?.failed, during?.events, during?.errorRate, before?.errorRate, latencyWorst]) {
        this.#add('counts', fact, { role: 'observed' });
      }
    }
    for (const facts of templates) if (facts.change !== 'vanished') this.#addTemplate('other_services', facts);
  }

  #addSurroundings({ calls, changes, changeCount, history, moments, templates }: Facts): void {
    for (const { span, parent } of calls) {
      this.#add('calls', span, { role: 'call' });
      this.#add('calls', parent, { role: 'call' });
    }
    for (const change of changes) this.#addChange(change.affected ? 'other_changes' : 'details', change);
    this.#add('history', history.count, { role: 'history' });
    for (const { startedAt, reason, closedBy, closing, resolvedAt } of history.listed) {
      for (const fact of [startedAt, reason, closing?.at, closedBy, resolvedAt]) this.#add('history', fact, { role: 'history' });
    }
    for (const fact of [...Object.values(moments), changeCount]) this.#add('moments', fact, { role: 'moment' });
    for (const facts of templates) this.#addTemplate('details', facts);
  }
}
