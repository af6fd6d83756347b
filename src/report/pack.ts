import { HeliosError } from '../lib/errors.ts';
import type { Signal } from '../model/anomaly.ts';
import type { Incident } from '../model/incident.ts';
import type { Report } from '../model/report.ts';
import type { Facts } from './facts.ts';
import { PACK_GROUPS, PackItems } from './pack-items.ts';
import type { PackItem } from './pack-items.ts';
import { plainLine } from './template/markdown.ts';
import { estimateTokens } from './tokens.ts';
import { factOfId } from './template/writing.ts';

/** Fewer would not hold what says which incident it is. */
export const MIN_PACK_TOKENS = 768;
const MAX_TITLE = 160;
const MAX_CAUSES = 5;
const MAX_SERVICES = 40;

/** What is known of an incident, for a reader who pays by the token. */
export interface EvidencePack {
  incident: Pick<Incident, 'id' | 'severity' | 'status' | 'startedAt' | 'resolvedAt' | 'title'> & { lead: string };
  verdict: Report['verdict'];
  /** Affected services, the one that the report is about first. */
  services: string[];
  /** Likeliest first; `reason` holds the ids that carry it. */
  causes: { rank: number; service: string; signal: Signal; reason: string[] }[];
  /** Who was seen to call whom, with the ids that carry it. */
  calls: { caller: string; callee: string; evidence: string[] }[];
  items: PackItem[];
  /** What did not fit: how many by group of items, and of services, causes and calls. */
  dropped: Record<string, number>;
  /** Of `JSON.stringify` of this pack, by `estimateTokens`. */
  tokens: number;
}

/** A list that is filled while there is room. */
class Room {
  #left: number;
  readonly dropped: Record<string, number> = {};

  constructor(left: number) {
    this.#left = left;
  }

  /** Those of `values` that fit, in their order. */
  take<T>(group: string, values: readonly T[]): T[] {
    return values.filter((value) => {
      // The comma behind it.
      const tokens = estimateTokens(JSON.stringify(value)) + 1;
      if (tokens > this.#left) {
        this.dropped[group] = (this.dropped[group] ?? 0) + 1;
        return false;
      }
      this.#left -= tokens;
      return true;
    });
  }
}

function frameOf({ incident, lead }: Facts, report: Report): EvidencePack {
  const { id, severity, status, title, startedAt, resolvedAt } = incident;
  return {
    incident: { id, severity, status, title: plainLine(title, MAX_TITLE), startedAt, resolvedAt, lead },
    verdict: report.verdict,
    services: [],
    causes: [],
    calls: [],
    items: [],
    // Room for every count.
    dropped: Object.fromEntries([...PACK_GROUPS, 'services', 'all_causes', 'all_calls'].map((group) => [group, 1000])),
    tokens: 1_000_000,
  };
}

/**
 * The evidence of a report within `maxTokens`, whatever happens. What does not fit is left out in the reverse order of
 * `PACK_GROUPS`, the last of a group first; a cause's or call's ids may name items that were left out. `invalid_argument` for a
 * budget below `MIN_PACK_TOKENS`.
 */
export function buildPack({ facts, report, maxTokens }: { facts: Facts; report: Report; maxTokens: number }): EvidencePack {
  if (!(maxTokens >= MIN_PACK_TOKENS)) {
    throw new HeliosError('invalid_argument', `cannot pack evidence into ${maxTokens} tokens: it takes ${MIN_PACK_TOKENS}`);
  }
  const frame = frameOf(facts, report);
  const found = new PackItems(facts, report.evidence);
  const writing = { facts };
  const room = new Room(maxTokens - estimateTokens(JSON.stringify(frame)));
  const named = [...new Set([facts.lead, ...facts.impact.map(({ service }) => service), ...facts.incident.services])];
  const [main = [], ...rest] = PACK_GROUPS.map((group) => found.groups.get(group) ?? []);
  const items = room.take('main', main);
  const causes = room.take(
    'all_causes',
    facts.reasons.slice(0, MAX_CAUSES).map(({ cause, reason }) => {
      const ids = found.ids([reason, ...cause.evidence.map((id) => factOfId(writing, id))]);
      return { rank: cause.rank, service: cause.service, signal: cause.signal, reason: [...new Set(ids)] };
    }),
  );
  const services = room.take('services', named.slice(0, MAX_SERVICES));
  for (const [i, group] of rest.entries()) items.push(...room.take(PACK_GROUPS[i + 1] ?? 'details', group));
  const calls = room.take(
    'all_calls',
    facts.calls.map(({ caller, callee, span, parent }) => ({ caller, callee, evidence: found.ids([span, parent]) })),
  );
  const pack = { ...frame, services, causes, calls, items, dropped: room.dropped };
  return { ...pack, tokens: estimateTokens(JSON.stringify(pack)) };
}
