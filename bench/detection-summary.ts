import type { Label } from '../src/generate/label.ts';

/** What became of one fault. */
export interface FaultResult {
  label: Label;
  found: boolean;
  /** Seconds from the start of the fault to the first verdict; Infinity when missed. */
  delaySeconds: number;
  /** Whether the first cause of the incident is the service at fault. */
  causeRight: boolean;
}

/** What became of one stream. */
export interface StreamResult {
  seed: number;
  faults: FaultResult[];
  falseIncidents: number;
  /** Of those, the ones that overlap something harmless. */
  falseDuringBenign: number;
  duplicates: number;
  /** Service-days of normal time. */
  normalServiceDays: number;
  events: number;
}

export interface Row {
  name: string;
  faults: number;
  found: number;
  causeRight: number;
  medianSeconds: number;
  p90Seconds: number;
}

export interface DetectionSummary {
  byKind: Row[];
  bySize: Row[];
  /** Faults in services with less than 1 event/s, 1 to 5, and more. */
  byTraffic: Row[];
  total: Row;
  precision: number;
  recall: number;
  f1: number;
  falseIncidents: number;
  falseDuringBenign: number;
  falsePerServiceDay: number;
  duplicatesPerMatch: number;
  events: number;
}

/** Nearest-rank quantile with misses as Infinity; NaN for an empty list. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? NaN;
}

function rowOf(name: string, faults: readonly FaultResult[]): Row {
  const delays = faults.map(({ delaySeconds }) => delaySeconds);
  return {
    name,
    faults: faults.length,
    found: faults.filter(({ found }) => found).length,
    causeRight: faults.filter(({ causeRight }) => causeRight).length,
    medianSeconds: quantile(delays, 0.5),
    p90Seconds: quantile(delays, 0.9),
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

export function summarise(streams: readonly StreamResult[]): DetectionSummary {
  const sum = (of: (stream: StreamResult) => number): number => streams.reduce((total, stream) => total + of(stream), 0);
  const faults = streams.flatMap((stream) => stream.faults);
  const total = rowOf('total', faults);
  const falseIncidents = sum((stream) => stream.falseIncidents);
  const precision = total.found / (total.found + falseIncidents);
  const recall = total.found / total.faults;
  return {
    byKind: grouped(faults, ({ kind }) => kind),
    bySize: grouped(faults, sizeBand),
    byTraffic: grouped(faults, trafficBand),
    total,
    precision,
    recall,
    f1: (2 * precision * recall) / (precision + recall),
    falseIncidents,
    falseDuringBenign: sum((stream) => stream.falseDuringBenign),
    falsePerServiceDay: falseIncidents / sum((stream) => stream.normalServiceDays),
    duplicatesPerMatch: sum((stream) => stream.duplicates) / Math.max(1, total.found),
    events: sum((stream) => stream.events),
  };
}

/** The summary as text tables; a delay of "-" is a miss. */
export function summaryText(summary: DetectionSummary): string {
  const seconds = (value: number): string => (Number.isFinite(value) ? value.toFixed(0) : '-');
  const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const header = ['', 'faults', 'found', 'cause right', 'median s', 'p90 s'];
  const cells = (row: Row): string[] => [
    row.name,
    String(row.faults),
    `${row.found}`,
    `${row.causeRight}`,
    seconds(row.medianSeconds),
    seconds(row.p90Seconds),
  ];
  const table = (rows: Row[]): string =>
    [header, ...rows.map(cells)]
      .map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(22) : cell.padStart(12))).join(''))
      .join('\n');
  const { total } = summary;
  return [
    table([...summary.byKind, total]),
    `by size of the effect\n${table(summary.bySize)}`,
    `by usual traffic of the service\n${table(summary.byTraffic)}`,
    [
      `recall ${share(summary.recall)}, precision ${share(summary.precision)}, F1 ${summary.f1.toFixed(3)}`,
      `false incidents ${summary.falseIncidents} (${summary.falseDuringBenign} during something harmless), ${summary.falsePerServiceDay.toFixed(3)} per service-day`,
      `incidents per matched fault ${(1 + summary.duplicatesPerMatch).toFixed(2)} (above 1.2 is a failure)`,
      `first cause right in ${share(total.causeRight / Math.max(1, total.found))} of found, ${share(total.causeRight / total.faults)} of all faults`,
      `${summary.events} events`,
    ].join('\n'),
  ].join('\n\n');
}
