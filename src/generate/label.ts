import { isoTime } from '../lib/clock.ts';
import type { Condition, Effect } from './condition.ts';
import type { Fleet } from './fleet.ts';

/** The truth about one thing that happens in a generated stream. Times are ISO 8601, `end` exclusive. */
export interface Label {
  start: string;
  end: string;
  service: string;
  /** A fault's or a harmless happening's name (docs/generator.md). */
  kind: string;
  benign: boolean;
  /** Its numbers; also `eventsPerSecond`, the usual traffic of the service, and the versions of a deployment. */
  effect: Effect;
}

export function labelOf(condition: Condition, fleet: Fleet, requestRate: number, versions: Record<string, string>): Label {
  const service = fleet.services[condition.service];
  const eventsPerSecond = Math.round((service?.visits ?? 0) * requestRate * 1000) / 1000;
  return {
    start: isoTime(condition.startMs),
    end: isoTime(condition.endMs),
    service: service?.name ?? '',
    kind: condition.kind,
    benign: condition.benign,
    effect: { ...condition.effect, eventsPerSecond, ...versions },
  };
}
