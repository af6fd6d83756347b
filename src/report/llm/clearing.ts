import type { EvidencePack } from '../pack.ts';
import type { Claim } from './claim.ts';

/** What a narrator needs of redaction (lib/redaction/redactor.ts). */
export interface PackRedactor {
  open(options?: { keep?: Iterable<string> }): { redactDeep<T>(value: T): T };
}

/** The pack without secrets and personal data, and what its names are called at home. */
export interface Cleared {
  pack: EvidencePack;
  names: ReadonlyMap<string, string>;
}

/** Throws what redaction throws: then nothing may be sent. */
export function clear(redactor: PackRedactor, pack: EvidencePack): Cleared {
  const versions = pack.items.flatMap(({ role, value }) => (role === 'version' ? [String(value)] : []));
  const cleared = redactor.open({ keep: [...pack.services, ...versions] }).redactDeep(pack);
  const pairs = [
    ...cleared.services.map((name, i) => [name, pack.services[i] as string] as const),
    ...cleared.items.map(({ feature }, i) => [feature ?? '', pack.items[i]?.feature ?? ''] as const),
  ];
  const names = new Map<string, string>();
  for (const [name, original] of pairs) {
    // Two names that look the same from outside are told apart by nobody.
    names.set(name, names.has(name) && names.get(name) !== original ? '' : original);
  }
  return { pack: cleared, names };
}

/** A claim in the names of home. */
export function atHome(claim: Claim, names: ReadonlyMap<string, string>): Claim {
  const { subject, feature } = claim;
  return { ...claim, subject: names.get(subject) ?? subject, feature: feature === null ? null : (names.get(feature) ?? feature) };
}
