import type { Change } from '../model/incident.ts';
import { countFact } from './evidence-derived.ts';
import { cite, citeKnown } from './evidence.ts';
import type { Fact, NumberFact } from './evidence.ts';
import { pointerTo } from './json-pointer.ts';
import { MINUTE_MS } from './period.ts';
import type { Period } from './period.ts';
import { listAnswer } from './query.ts';
import type { EvidenceStore } from './query.ts';

const PER_SERVICE = 20;
const FLEET = 50;
const ECHO_MS = 10 * MINUTE_MS;

export interface ChangeFacts {
  change: Change;
  at: Fact;
  version: Fact | undefined;
  description: Fact | undefined;
  /** Milliseconds from the change to the onset; negative when it came after. */
  leadMs: number;
  /** Whether the service is part of the incident. */
  affected: boolean;
}

/** What changed, and how many changes there are of all services: at least, when there are more than a page. */
export interface FoundChanges {
  changes: ChangeFacts[];
  count: NumberFact | undefined;
}

/** Changes from `windowMs` before the onset to the end of the period, newest first, those of affected services complete. */
export async function changeFacts(
  store: EvidenceStore,
  services: string[],
  period: Period,
  windowMs: number,
): Promise<FoundChanges> {
  const range = { fromMs: period.onsetMs - windowMs, toMs: period.endMs };
  const answers = await Promise.all([
    ...services.map((service) => listAnswer(store, 'change', { service, ...range, limit: PER_SERVICE })),
    listAnswer(store, 'change', { ...range, limit: FLEET }),
  ]);
  const found = new Map<string, ChangeFacts>();
  for (const answer of answers) {
    for (const [i, change] of answer.body.items.entries()) {
      if (found.has(change.id)) continue;
      const meta = { type: 'change', service: change.service, ...range } as const;
      const version = cite(answer, pointerTo('items', i, 'version'), { ...meta, type: 'version' });
      found.set(change.id, {
        change,
        at: citeKnown(answer, pointerTo('items', i, 'at'), meta),
        version,
        description: change.description === '' ? undefined : cite(answer, pointerTo('items', i, 'description'), meta),
        leadMs: period.onsetMs - Date.parse(change.at),
        affected: services.includes(change.service),
      });
    }
  }
  const ordered = [...found.values()].toSorted((a, b) => a.leadMs - b.leadMs || (a.change.id < b.change.id ? -1 : 1));
  const fleet = answers.at(-1);
  const meta = { type: 'change', service: '', unit: 'changes', ...range } as const;
  return {
    changes: ordered.filter((facts) => !ordered.some((other) => isEchoOf(facts, other))),
    count: fleet && countFact(fleet, '/items', meta),
  };
}

/** A posted deployment shows again when events carry the new version; the post says more. */
function isEchoOf({ change, leadMs }: ChangeFacts, other: ChangeFacts): boolean {
  const same = change.version !== null && other.change.version === change.version && other.change.service === change.service;
  const echoes = change.source === 'service.version' && other.change.source === 'api';
  return same && echoes && Math.abs(other.leadMs - leadMs) <= ECHO_MS;
}

/** The last change at or before `slackMs` after the onset, on one of `services`: what a reader looks at first. */
export function nearestChange(changes: ChangeFacts[], services: string[], slackMs: number): ChangeFacts | undefined {
  return changes
    .filter(({ change, leadMs }) => leadMs >= -slackMs && services.includes(change.service))
    .toSorted((a, b) => Math.abs(a.leadMs) - Math.abs(b.leadMs))[0];
}
