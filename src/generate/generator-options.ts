import { HeliosError } from '../lib/errors.ts';
import type { Effect } from './condition.ts';
import type { FaultName } from './fault-kinds.ts';
import { MAX_SERVICES } from './fleet-blueprint.ts';

/** A fault wanted at a given moment; what is left out is drawn. */
export interface FaultPlan {
  kind: FaultName;
  startMs: number;
  durationMs?: number;
  /** Name of the service at fault. */
  service?: string;
  effect?: Partial<Effect>;
}

export interface GeneratorOptions {
  seed?: number;
  /** First moment of the stream, milliseconds since the epoch; rounded down to a second. */
  startMs: number;
  durationMs: number;
  /** Mean events per second of the whole fleet over a week. */
  rate?: number;
  /** Number of services; the default fleet has 10. */
  services?: number;
  /** A number of faults, one fault of each listed kind in that order, or planned ones; without it they arrive at `faultGapMs`. */
  faults?: number | readonly FaultName[] | readonly FaultPlan[];
  /** Kinds to draw from when `faults` does not list them. */
  faultKinds?: readonly FaultName[];
  /** Mean time from the end of a fault to the next, when `faults` is left out. */
  faultGapMs?: number;
  /** Share of the whole duration that faults take together; instead of `faults`. */
  anomalousShare?: number;
  /** Time without faults at the beginning; half an hour, or a quarter of a short stream, unless given. */
  warmUpMs?: number;
  /** Mean time between harmless happenings; Infinity for none. */
  benignGapMs?: number;
}

export type ResolvedOptions = Required<Omit<GeneratorOptions, 'faults' | 'anomalousShare'>> &
  Pick<GeneratorOptions, 'faults' | 'anomalousShare'>;

/** Fills in defaults; `invalid_argument` for values that make no stream. */
export function resolveOptions(options: GeneratorOptions): ResolvedOptions {
  const { startMs, durationMs, rate = 200, services = 10, seed = 1 } = options;
  const warmUpMs = options.warmUpMs ?? Math.min(30 * 60_000, durationMs / 4);
  const faultGapMs = options.faultGapMs ?? 90 * 60_000;
  const benignGapMs = options.benignGapMs ?? 120 * 60_000;
  require(Number.isFinite(startMs), 'start is not a time');
  require(Number.isFinite(durationMs) && durationMs >= 1000, 'duration must be at least 1s');
  require(rate > 0 && rate <= 1e6, 'rate must be above 0 and at most 1000000 events/s');
  require(Number.isInteger(services) && services >= 2 && services <= MAX_SERVICES, `services must be 2 to ${MAX_SERVICES}`);
  require(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32, 'seed must be an integer from 0 to 4294967295');
  require(warmUpMs >= 0 && faultGapMs > 0 && benignGapMs > 0, 'gaps must be positive');
  const { faults, anomalousShare, faultKinds = [] } = options;
  require(anomalousShare === undefined ||
    (anomalousShare > 0 && anomalousShare <= 0.3), 'the anomalous share must be above 0 and at most 0.3');
  require(anomalousShare === undefined || faults === undefined, 'give either faults or their share of the time');
  const resolved = { seed, startMs: Math.floor(startMs / 1000) * 1000, durationMs, rate, services };
  return {
    ...resolved,
    warmUpMs,
    faultGapMs,
    benignGapMs,
    faultKinds,
    ...(faults === undefined ? {} : { faults }),
    ...(anomalousShare === undefined ? {} : { anomalousShare }),
  };
}

function require(condition: boolean, reason: string): void {
  if (!condition) throw new HeliosError('invalid_argument', `cannot generate events: ${reason}`);
}
