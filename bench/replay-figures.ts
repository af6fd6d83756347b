import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { getMetrics } from './server-api.ts';

const MINUTE_MS = 60_000;
/** Of the mean, relative; quantiles may be off by this much. */
export const MEAN_TOLERANCE = 1e-6;
export const P99_TOLERANCE = 0.02;

/** What one service sent in one minute. */
interface MinuteFigures {
  count: number;
  errorCount: number;
  latencies: number[];
}

/** A file's own account of itself, by service and start of minute. */
export interface FileFigures {
  lines: number;
  errors: number;
  minutes: Map<string, MinuteFigures>;
  /** Whole minutes around all its events, milliseconds since the epoch. */
  fromMs: number;
  toMs: number;
}

export interface Comparison {
  /** Pairs of service and minute, each with four figures. */
  cells: number;
  /** Pairs that only the API or only the file has. */
  unmatched: number;
  countMismatches: number;
  errorMismatches: number;
  /** Largest deviations, relative to the file's value. */
  meanDeviation: number;
  p99Deviation: number;
  /** The first few mismatches in words. */
  examples: string[];
}

interface Line {
  timestamp: string;
  service: string;
  level: string;
  metadata?: { latency_ms?: number };
}

/** Reads a file of events with nothing but JSON.parse. */
export async function readFigures(path: string): Promise<FileFigures> {
  const figures: FileFigures = { lines: 0, errors: 0, minutes: new Map(), fromMs: Infinity, toMs: -Infinity };
  for await (const text of createInterface({ input: createReadStream(path).pipe(createGunzip()) })) {
    const { timestamp, service, level, metadata } = JSON.parse(text) as Line;
    const minuteMs = Math.floor(Date.parse(timestamp) / MINUTE_MS) * MINUTE_MS;
    figures.fromMs = Math.min(figures.fromMs, minuteMs);
    figures.toMs = Math.max(figures.toMs, minuteMs + MINUTE_MS);
    const key = keyOf(service, minuteMs);
    let cell = figures.minutes.get(key);
    if (!cell) figures.minutes.set(key, (cell = { count: 0, errorCount: 0, latencies: [] }));
    cell.count++;
    figures.lines++;
    if (level === 'ERROR' || level === 'CRITICAL') {
      cell.errorCount++;
      figures.errors++;
    }
    if (metadata?.latency_ms !== undefined) cell.latencies.push(metadata.latency_ms);
  }
  return figures;
}

function keyOf(service: string, minuteMs: number): string {
  return `${service} at ${new Date(minuteMs).toISOString()}`;
}

type Features = Record<string, number | null>;

/** The API's figures by the same keys, minutes without events left out. */
async function queryFigures(url: string, { fromMs, toMs }: FileFigures): Promise<Map<string, Features>> {
  const name = 'event_count,error_rate,avg_latency,p99_latency';
  const { series } = await getMetrics(url, { name, from: fromMs, to: toMs, step: '1m' });
  const cells = new Map<string, Features>();
  for (const one of series) {
    for (const [ms, value] of one.points) {
      const key = keyOf(one.labels.service, ms);
      const cell = cells.get(key) ?? {};
      cell[one.name] = value;
      cells.set(key, cell);
    }
  }
  for (const [key, cell] of cells) if (!cell['event_count']) cells.delete(key);
  return cells;
}

function relative(answer: number | null | undefined, expected: number): number {
  if (Number.isNaN(expected)) return answer === null || answer === undefined ? 0 : Infinity;
  if (answer === null || answer === undefined) return Infinity;
  return answer === expected ? 0 : Math.abs(answer - expected) / Math.abs(expected);
}

function compareCell(key: string, cell: MinuteFigures, answer: Features, comparison: Comparison): void {
  const count = answer['event_count'] ?? 0;
  const errors = (answer['error_rate'] ?? NaN) * count;
  const latencies = cell.latencies.toSorted((a, b) => a - b);
  const mean = latencies.reduce((sum, value) => sum + value, 0) / latencies.length;
  const p99 = latencies[Math.ceil(0.99 * latencies.length) - 1] ?? NaN;
  const meanDeviation = relative(answer['avg_latency'], mean);
  const p99Deviation = relative(answer['p99_latency'], p99);
  const wrong: string[] = [];
  if (count !== cell.count) {
    comparison.countMismatches++;
    wrong.push(`${count} events instead of ${cell.count}`);
  }
  if (!(Math.abs(errors - cell.errorCount) < 1e-6)) {
    comparison.errorMismatches++;
    wrong.push(`${errors} errors instead of ${cell.errorCount}`);
  }
  if (meanDeviation > MEAN_TOLERANCE) wrong.push(`mean ${answer['avg_latency']} instead of ${mean}`);
  if (p99Deviation > P99_TOLERANCE) wrong.push(`p99 ${answer['p99_latency']} instead of ${p99}`);
  comparison.meanDeviation = Math.max(comparison.meanDeviation, meanDeviation);
  comparison.p99Deviation = Math.max(comparison.p99Deviation, p99Deviation);
  if (wrong.length > 0 && comparison.examples.length < 5) comparison.examples.push(`${key}: ${wrong.join(', ')}`);
}

/** Holds the API's answer against the file, every service and minute of either. */
export async function compareFigures(url: string, figures: FileFigures): Promise<Comparison> {
  const answers = await queryFigures(url, figures);
  const comparison: Comparison = {
    cells: figures.minutes.size,
    unmatched: 0,
    countMismatches: 0,
    errorMismatches: 0,
    meanDeviation: 0,
    p99Deviation: 0,
    examples: [],
  };
  for (const [key, cell] of figures.minutes) {
    const answer = answers.get(key);
    if (answer) compareCell(key, cell, answer, comparison);
    else comparison.unmatched++;
    answers.delete(key);
  }
  comparison.unmatched += answers.size;
  return comparison;
}

export function isEqual({ unmatched, countMismatches, errorMismatches, meanDeviation, p99Deviation }: Comparison): boolean {
  const exact = unmatched === 0 && countMismatches === 0 && errorMismatches === 0;
  return exact && meanDeviation <= MEAN_TOLERANCE && p99Deviation <= P99_TOLERANCE;
}
