import type { Evidence, Narrative, NarrativeClaim, Report } from '../../model/report.ts';
import type { PackItem } from '../pack-items.ts';
import type { EvidencePack } from '../pack.ts';
import { checkClaims, checkContext } from './check.ts';
import type { Claim } from './claim.ts';
import { writeNarrative } from './narrative-report.ts';
import { partsOf, slotOf } from './slots.ts';

/** The end of a pointer that is no position in a list: "expected", "startedAt". */
function lastName(pointer: string): string {
  return pointer.split('/').findLast((part) => part !== '' && !/^\d+$/.test(part)) ?? '';
}

/** What a count is of: two of one answer differ by it alone. */
function countedBy({ derived }: Evidence): string {
  return derived?.rule === 'count' ? JSON.stringify(derived.where) : '';
}

function isSameThing(old: Evidence, role: string | undefined, next: Evidence, item: PackItem): boolean {
  const isSame = old.type === next.type && old.service === next.service && old.feature === next.feature && role === item.role;
  // A time, version or name that is another is another fact; a number is the same fact measured again.
  return (
    isSame &&
    countedBy(old) === countedBy(next) &&
    lastName(old.pointer) === lastName(next.pointer) &&
    (typeof next.value === 'number' || next.value === old.value)
  );
}

/** Ids of the next report by those of the previous one; what has no or no single successor has none. */
function successors(previous: Report, { roles }: Narrative, next: Report, pack: EvidencePack): Map<string, string> {
  const items = new Map(pack.items.map((item) => [item.id, item]));
  const found = new Map<string, string>();
  for (const old of previous.evidence) {
    const role = roles[old.id];
    if (role === undefined) continue;
    const same = next.evidence.filter((item) => {
      const packed = items.get(item.id);
      return packed !== undefined && isSameThing(old, role, item, packed);
    });
    const exact = same.find(({ query, pointer }) => query === old.query && pointer === old.pointer);
    const successor = exact ?? (same.length === 1 ? same[0] : undefined);
    if (successor) found.set(old.id, successor.id);
  }
  return found;
}

function recite({ text: _, ...claim }: NarrativeClaim, ids: ReadonlyMap<string, string>): Claim | undefined {
  const evidence = claim.evidence.map((id) => ids.get(id));
  if (evidence.some((id) => id === undefined)) return undefined;
  const sentence = partsOf(claim.sentence)
    .map((part) => {
      if ('text' in part) return part.text;
      const slot = slotOf(part.slot);
      const id = slot?.id;
      return id === null || id === undefined || !slot ? `{${part.slot}}` : `{${ids.get(id) ?? id}.${slot.field}}`;
    })
    .join('');
  return { ...claim, evidence: evidence as string[], sentence };
}

/**
 * The next facts report with those sentences of the previous narrative whose evidence still holds: each is cited anew, filled with the new
 * values and checked again like one that just came. Null when the previous has no narrative or nothing of it holds. `pack` is of `next`.
 */
export function carryNarrative(previous: Report, next: Report, pack: EvidencePack): Report | null {
  const { narrative } = previous;
  if (!narrative) return null;
  const ids = successors(previous, narrative, next, pack);
  const claims = narrative.claims.flatMap((claim) => recite(claim, ids) ?? []);
  const { kept } = checkClaims(checkContext(next, pack), claims);
  return kept.length === 0 ? null : writeNarrative(next, pack, { ...narrative, claims: kept });
}
