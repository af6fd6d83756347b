import type { SeriesKind } from '../../model/metric.ts';

/** Types of metric families; v1 and v2 number them alike (prompb/types.proto, io/prometheus/write/v2/types.proto). */
const UNKNOWN = 0;
const COUNTER = 1;
const HISTOGRAM = 3;
const SUMMARY = 5;

const TOTAL = '_total';
const TOTALS = ['_count', '_sum', '_bucket'];
const MAX_FAMILIES = 20_000;
/** Longer ones name no series that could be stored. */
const MAX_NAME_CHARACTERS = 255;

/**
 * How to read a series of a family. Without a type the name tells: `_total`, and the parts of histograms and summaries, are
 * totals; all else is a reading.
 */
export function kindOf(type: number, name: string): SeriesKind {
  const isPart = TOTALS.some((suffix) => name.endsWith(suffix));
  switch (type) {
    case UNKNOWN:
      return isPart || name.endsWith(TOTAL) ? 'cumulative' : 'gauge';
    case COUNTER:
      return 'cumulative';
    case HISTOGRAM:
    case SUMMARY:
      return isPart ? 'cumulative' : 'gauge';
    default:
      return 'gauge';
  }
}

/**
 * Types of metric families by name. Remote write 1.0 sends them now and then, in requests of their own: until the first one
 * arrives a series is read by its name. Bounded: past the cap the family told longest ago is forgotten.
 */
export class MetricFamilies {
  readonly #types = new Map<string, number>();

  get size(): number {
    return this.#types.size;
  }

  set(name: string, type: number): void {
    this.#types.delete(name);
    if (type === UNKNOWN || name.length > MAX_NAME_CHARACTERS) return;
    if (this.#types.size === MAX_FAMILIES) this.#types.delete(this.#types.keys().next().value as string);
    this.#types.set(name, type);
  }

  /** Type of the family that a series belongs to; 0 when not known. */
  typeOf(name: string): number {
    const own = this.#types.get(name);
    if (own !== undefined) return own;
    const suffix = [...TOTALS, TOTAL].find((part) => name.endsWith(part));
    if (suffix === undefined) return UNKNOWN;
    const type = this.#types.get(name.slice(0, -suffix.length)) ?? UNKNOWN;
    // OpenMetrics names a counter's family without _total; of the others only those in parts have such series.
    return (suffix === TOTAL) === (type === COUNTER) ? type : UNKNOWN;
  }
}
