import type { Interval } from '../src/evaluate/protocol-interval.ts';
import { bootstrapInterval, poissonInterval } from '../src/evaluate/protocol-interval.ts';
import { rankQuantile } from '../src/evaluate/protocol-matching.ts';
import type { Label, LabelRatio } from '../src/generate/label.ts';
import { createPrng } from '../src/lib/prng.ts';
import type { FalseIncident, FaultResult, StreamResult } from './detection-run.ts';

export interface Row {
  name: string;
  faults: number;
  found: number;
  /** Seconds, misses as Infinity (null in JSON). */
  medianSeconds: number;
  p90Seconds: number;
  /** Truths whose root is the first cause in the incident's first and last form. */
  firstRight: number;
  lastRight: number;
  lastInThree: number;
}

export interface Estimate {
  value: number;
  interval: Interval;
}

export interface DetectionSummary {
  byKind: Row[];
  /** By what could be seen at most: `strengthOf` the peak. */
  byStrength: Row[];
  /** By what could be seen 15 s after the start: what delays depend on. */
  byOnset: Row[];
  /** By the quantile of the effect within its kind. */
  bySize: Row[];
  /** By the usual traffic of the root. */
  byTraffic: Row[];
  /** The same, of strong errors and slowness alone: how fast they are found depends on how many requests show them. */
  byTrafficOfStrong: Row[];
  total: Row;
  precision: Estimate;
  recall: Estimate;
  f1: Estimate;
  /** AC@1 end to end: a missed fault counts as wrong. */
  firstAc1: Estimate;
  lastAc1: Estimate;
  lastAc3: Estimate;
  /** Missed faults that an incident met which was an earlier fault's. */
  hidden: number;
  falseIncidents: number;
  falsePerSystemDay: Estimate;
  falsePerServiceDay: Estimate;
  falseEpisodesPerServiceDay: Estimate;
  incidentsPerMatch: number;
  ownIncidentsPerMatch: number;
  /** Harmless things that happened, and false incidents during each or in the 15 minutes after. */
  byBenign: { kind: string; happened: number; false: number }[];
  serviceDays: number;
  events: number;
}

const STRONG = '2 >= 5x errors or >= 2x p95';

/** Classes of what the root shows, strongest first. */
export function strengthOf({ errors, p95, traffic }: LabelRatio): string {
  const [e, l, t] = [errors ?? 1, p95 ?? 1, traffic ?? 1];
  if (t < 0.02) return '1 silent';
  if (e >= 5 || l >= 2) return STRONG;
  if (t <= 0.5 || t >= 2) return '3 <= half or >= twice the traffic';
  if (e >= 2 || l >= 1.3 || t <= 0.7 || t >= 1.5) return '4 moderate';
  return '5 weak (< 2x errors, < 1.3x p95, < 30 % of traffic)';
}

function rowOf(name: string, faults: readonly FaultResult[]): Row {
  const delays = faults.map(({ delaySeconds }) => delaySeconds ?? Infinity);
  const count = (test: (fault: FaultResult) => boolean): number => faults.filter(test).length;
  return {
    name,
    faults: faults.length,
    found: count(({ found }) => found),
    medianSeconds: rankQuantile(delays, 0.5),
    p90Seconds: rankQuantile(delays, 0.9),
    firstRight: count(({ firstRank }) => firstRank === 1),
    lastRight: count(({ lastRank }) => lastRank === 1),
    lastInThree: count(({ lastRank }) => lastRank >= 1 && lastRank <= 3),
  };
}

function grouped(faults: readonly FaultResult[], keyOf: (label: Label) => string): Row[] {
  const groups = Map.groupBy(faults, ({ label }) => keyOf(label));
  return [...groups].toSorted(([a], [b]) => a.localeCompare(b)).map(([name, group]) => rowOf(name, group));
}

function sizeBand({ effect: { size } }: Label): string {
  return size < 1 / 3 ? '1 small' : size < 2 / 3 ? '2 medium' : '3 large';
}

function trafficBand({ effect }: Label): string {
  const rate = Number(effect['eventsPerSecond']);
  return rate < 1 ? '1 below 1/s' : rate < 5 ? '2 1-5/s' : '3 above 5/s';
}

const isStrong = ({ label: { ratio } }: FaultResult): boolean => ratio !== undefined && strengthOf(ratio.onset) === STRONG;

/** A fault, found or not, or a false incident: what is drawn again in the bootstrap. */
type Item = FaultResult | null;

const shareOf = (sample: readonly Item[], test: (fault: FaultResult) => boolean): number => {
  const faults = sample.filter((item) => item !== null);
  return faults.filter(test).length / faults.length;
};
const precisionOf = (sample: readonly Item[]): number => {
  const found = sample.filter((item) => item?.found).length;
  return found / (found + sample.filter((item) => item === null).length);
};
const recallOf = (sample: readonly Item[]): number => shareOf(sample, ({ found }) => found);
const f1Of = (sample: readonly Item[]): number => {
  const [p, r] = [precisionOf(sample), recallOf(sample)];
  return (2 * p * r) / (p + r);
};

export function summarise(streams: readonly StreamResult[]): DetectionSummary {
  const sum = (of: (stream: StreamResult) => number): number => streams.reduce((total, stream) => total + of(stream), 0);
  const faults = streams.flatMap((stream) => stream.faults);
  const wrong = streams.flatMap(({ falseIncidents }) => falseIncidents);
  const items: Item[] = [...faults, ...wrong.map(() => null)];
  const estimate = (statistic: (sample: readonly Item[]) => number): Estimate => ({
    value: statistic(items),
    interval: bootstrapInterval(items, statistic, createPrng(1)),
  });
  const rate = (count: number, exposure: number): Estimate => ({
    value: count / exposure,
    interval: poissonInterval(count, exposure),
  });
  const total = rowOf('total', faults);
  const normalServiceDays = sum((stream) => stream.normalDays * stream.services);
  const episodes = wrong.reduce((count, incident) => count + incident.episodes, 0);
  return {
    byKind: grouped(faults, ({ kind }) => kind),
    byStrength: grouped(faults, ({ ratio }) => (ratio ? strengthOf(ratio.peak) : '')),
    byOnset: grouped(faults, ({ ratio }) => (ratio ? strengthOf(ratio.onset) : '')),
    bySize: grouped(faults, sizeBand),
    byTraffic: grouped(faults, trafficBand),
    byTrafficOfStrong: grouped(faults.filter(isStrong), trafficBand),
    total,
    precision: estimate(precisionOf),
    recall: estimate(recallOf),
    f1: estimate(f1Of),
    firstAc1: estimate((sample) => shareOf(sample, ({ firstRank }) => firstRank === 1)),
    lastAc1: estimate((sample) => shareOf(sample, ({ lastRank }) => lastRank === 1)),
    lastAc3: estimate((sample) => shareOf(sample, ({ lastRank }) => lastRank >= 1 && lastRank <= 3)),
    hidden: faults.filter(({ hiddenByHours }) => hiddenByHours !== null).length,
    falseIncidents: wrong.length,
    falsePerSystemDay: rate(
      wrong.length,
      sum((stream) => stream.normalDays),
    ),
    falsePerServiceDay: rate(wrong.length, normalServiceDays),
    falseEpisodesPerServiceDay: rate(episodes, normalServiceDays),
    incidentsPerMatch: 1 + sum((stream) => stream.duplicates) / Math.max(1, total.found),
    ownIncidentsPerMatch: faults.reduce((count, { ownIncidents }) => count + ownIncidents, 0) / Math.max(1, total.found),
    byBenign: benignRows(streams, wrong),
    serviceDays: sum((stream) => stream.scoredDays * stream.services),
    events: sum((stream) => stream.events),
  };
}

function benignRows(streams: readonly StreamResult[], wrong: readonly FalseIncident[]): DetectionSummary['byBenign'] {
  const kinds = [...new Set(streams.flatMap(({ benign }) => Object.keys(benign)))].toSorted();
  const rows = kinds.map((kind) => ({
    kind,
    happened: streams.reduce((count, { benign }) => count + (benign[kind] ?? 0), 0),
    false: wrong.filter(({ benign }) => benign.includes(kind)).length,
  }));
  return [...rows, { kind: 'none of them', happened: 0, false: wrong.filter(({ benign }) => benign.length === 0).length }];
}
