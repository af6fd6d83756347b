import type { Fleet } from './fleet.ts';
import type { FleetState, ServiceState } from './fleet-state.ts';

/**
 * How strong one fault is. `size` is the quantile, 0..1, of its main number in the stated distribution, so that
 * kinds can be compared; the rest is in the units of the names.
 */
export interface Effect {
  size: number;
  [name: string]: number | string;
}

/** Something that happens to a fleet between two moments: a fault, or something harmless. */
export interface Condition {
  kind: string;
  benign: boolean;
  /** Whole seconds, milliseconds since the epoch. */
  startMs: number;
  /** Exclusive. */
  endMs: number;
  /** Position of the service in the fleet. */
  service: number;
  effect: Effect;
}

/** What a kind's `apply` works on: the second at `nowMs` of a condition that is going on. */
export interface ConditionMoment {
  condition: Condition;
  fleet: Fleet;
  state: FleetState;
  /** The state of the condition's service. */
  target: ServiceState;
  nowMs: number;
  /** 0 at the start, 1 at the end. */
  progress: number;
}

export interface ConditionKind {
  description: string;
  /** Bounds of the log-uniform duration, minutes. */
  durationMinutes: readonly [number, number];
  /** Whether a service can be the one concerned. */
  suits: (fleet: Fleet, service: number) => boolean;
  /**
   * Draws the effect at quantile `size` of its main number (a drawn `size` overrides it); `next` gives further uniforms,
   * `works` says that the service spends a good part of its latency itself.
   */
  draw: (size: number, next: () => number, works: boolean) => Record<string, number>;
  apply: (moment: ConditionMoment) => void;
  /** Further services that the fault takes away beside the drawn one. */
  companions?: (condition: Condition, fleet: Fleet) => readonly number[];
  /** The effect does not end with the label (`progress` stays 1). */
  lasts?: true;
  /** Holds events back. */
  delays?: true;
  /** May meet faults and other conditions. */
  background?: true;
  /** The start is moved on to a multiple of this, milliseconds. */
  startsAtMs?: number;
  /** How often it is drawn relative to others, 1 unless given. */
  weight?: number;
  /** "rollback" and "stays" kinds begin with a new `service.version`. */
  deployment?: 'rollback' | 'stays';
}

/** A numeric part of an effect. */
export function amount(condition: Condition, name: string): number {
  return Number(condition.effect[name]);
}

/** Share of the way, 0 to 1, that a ramp of `rampMs` at both ends allows at this moment. */
export function ramp({ condition, nowMs }: ConditionMoment, rampMs: number): number {
  return Math.max(0, Math.min(1, (nowMs - condition.startMs + 1000) / rampMs, (condition.endMs - nowMs) / rampMs));
}
