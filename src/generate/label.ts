import { isoTime } from '../lib/clock.ts';
import type { Condition, Effect } from './condition.ts';
import type { EffectRatio, MeasuredEffect } from './effect-ratio.ts';
import type { Fleet } from './fleet.ts';
import { kindOf } from './schedule.ts';

/** The truth about one thing that happens in a generated stream. Times are ISO 8601, `end` exclusive. */
export interface Label {
  start: string;
  end: string;
  /** The root. */
  service: string;
  /** All services that the fault takes away, the root first; more than one in a lost zone. */
  roots: string[];
  /** The services that show it, the root first; of something harmless only that. */
  services: string[];
  /** A fault's or a harmless happening's name (docs/generator.md). */
  kind: string;
  benign: boolean;
  /** Its numbers; also `eventsPerSecond`, the usual traffic of the service, and the versions of a deployment. */
  effect: Effect;
  /** Of a fault: what the root shows relative to no fault, measured; null is nothing to measure. */
  ratio?: { onset: LabelRatio; peak: LabelRatio };
}

/** Share of errors, 95 % quantile of the latency and requests per second, each divided by its usual value. */
export interface LabelRatio {
  errors: number | null;
  p95: number | null;
  traffic: number | null;
}

export interface LabelContext {
  fleet: Fleet;
  /** Mean requests of users per second. */
  requestRate: number;
  versions: Record<string, string>;
  /** Of a fault. */
  measured?: MeasuredEffect;
}

export function labelOf(condition: Condition, { fleet, requestRate, versions, measured }: LabelContext): Label {
  const nameOf = (service: number): string => fleet.services[service]?.name ?? '';
  const visits = fleet.services[condition.service]?.visits ?? 0;
  const roots = [condition.service, ...(kindOf(condition.kind).companions?.(condition, fleet) ?? [])];
  return {
    start: isoTime(condition.startMs),
    end: isoTime(condition.endMs),
    service: nameOf(condition.service),
    roots: roots.map(nameOf),
    services: [...new Set([...roots, ...(measured?.hit ?? [])])].map(nameOf),
    kind: condition.kind,
    benign: condition.benign,
    effect: { ...condition.effect, eventsPerSecond: rounded(visits * requestRate) ?? 0, ...versions },
    ...(measured ? { ratio: { onset: ratioOf(measured.onset), peak: ratioOf(measured.peak) } } : {}),
  };
}

function ratioOf({ errors, p95, traffic }: EffectRatio): LabelRatio {
  return { errors: rounded(errors), p95: rounded(p95), traffic: rounded(traffic) };
}

function rounded(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value * 1000) / 1000 : null;
}
