import { assert } from '../lib/assert.ts';
import { isoTime } from '../lib/clock.ts';
import type { Derivation, Evidence } from '../model/report.ts';
import { resolvePointer } from './json-pointer.ts';
import type { Answer } from './query.ts';

/** As `Derivation`, of facts that have no number yet. */
export type FactDerivation =
  | { rule: 'ratio' | 'rate_ratio' | 'product'; of: [Fact, Fact] }
  | Extract<Derivation, { rule: 'count' }>;

/** A fact that may be used in a report; it gets its number when it is used first. */
export type Fact = Omit<Evidence, 'id' | 'derived'> & { derived?: FactDerivation };
export type NumberFact = Fact & { value: number };

export interface FactMeta {
  type: Evidence['type'];
  service: string;
  feature?: Evidence['feature'];
  unit?: string;
  /** Milliseconds since the epoch. */
  fromMs: number;
  toMs: number;
}

/**
 * Takes a value out of an answer, so that value, query and pointer agree by construction.
 * Undefined when the pointer names nothing, null or something that is not a number or a string.
 */
export function cite(answer: Answer<unknown>, pointer: string, meta: FactMeta): Fact | undefined {
  const value = resolvePointer(answer.body, pointer);
  if (typeof value !== 'string' && (typeof value !== 'number' || !Number.isFinite(value))) return undefined;
  return {
    type: meta.type,
    service: meta.service,
    feature: meta.feature ?? null,
    value,
    unit: meta.unit ?? '',
    from: isoTime(meta.fromMs),
    to: isoTime(meta.toMs),
    query: answer.query,
    pointer,
  };
}

/** As `cite`, for values that are numbers. */
export function citeNumber(answer: Answer<unknown>, pointer: string, meta: FactMeta): NumberFact | undefined {
  const fact = cite(answer, pointer, meta);
  return fact && typeof fact.value === 'number' ? (fact as NumberFact) : undefined;
}

/** As `cite`, for values known to be there. */
export function citeKnown(answer: Answer<unknown>, pointer: string, meta: FactMeta): Fact {
  const fact = cite(answer, pointer, meta);
  assert(fact, `${answer.query} has no value at ${pointer}`);
  return fact;
}

/** Where a fact's value stands or what it follows from: the same for two facts that are one piece of evidence. */
export function placeOf({ query, pointer, derived }: Fact): string {
  if (!derived) return `${query} ${pointer}`;
  const parts = derived.rule === 'count' ? [JSON.stringify(derived.where)] : derived.of.map((fact) => placeOf(fact));
  return [query, pointer, derived.rule, ...parts].join(' ');
}

/** Numbers facts E1, E2, … in order of first use; the same place cited twice is one item. */
export class EvidenceList {
  readonly items: Evidence[] = [];
  #ids = new Map<string, string>();

  id(fact: Fact): string {
    const place = placeOf(fact);
    const known = this.#ids.get(place);
    if (known) return known;
    const { derived, ...rest } = fact;
    const named = derived && this.#named(derived);
    const id = `E${this.items.length + 1}`;
    this.#ids.set(place, id);
    this.items.push({ id, ...rest, ...(named && { derived: named }) });
    return id;
  }

  /** The number of a fact that was used. */
  known(fact: Fact): string | undefined {
    return this.#ids.get(placeOf(fact));
  }

  /** What something follows from is numbered before it. */
  #named(derived: FactDerivation): Derivation {
    if (derived.rule === 'count') return derived;
    const [first, second] = derived.of;
    return { rule: derived.rule, of: [this.id(first), this.id(second)] };
  }

  ids(facts: (Fact | undefined)[]): string[] {
    return [...new Set(facts.filter((fact) => fact !== undefined).map((fact) => this.id(fact)))];
  }

  /** " (E1, E4)", or "" without facts: goes right behind the words that it supports. */
  ref(...facts: (Fact | undefined)[]): string {
    const ids = this.ids(facts);
    return ids.length > 0 ? ` (${ids.join(', ')})` : '';
  }
}
