import { readFileSync, writeFileSync } from 'node:fs';
import type { DetectorName } from '../src/evaluate/detection-job.ts';
import type { SetReport } from '../src/evaluate/evaluation.ts';

/** One detector with one seed on one set. */
export interface EvaluationRun {
  detector: DetectorName;
  seed: number;
  set: string;
  /** Absent when the run failed. */
  report?: SetReport;
  error?: string;
}

/** All that tables are made of. */
export interface EvaluationRecord {
  seeds: readonly number[];
  seconds: number;
  runs: EvaluationRun[];
}

const WORDS = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

/** JSON in which misses (infinite delays) and what cannot be measured (not a number) keep their value. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_key, own: unknown) => (typeof own === 'number' && !Number.isFinite(own) ? String(own) : own));

export const fromJson = (text: string): unknown =>
  JSON.parse(text, (_key, own: unknown) => (typeof own === 'string' ? (WORDS.get(own) ?? own) : own));

export const readRecord = (path: string): EvaluationRecord => fromJson(readFileSync(path, 'utf8')) as EvaluationRecord;

export const writeRecord = (path: string, record: EvaluationRecord): void => writeFileSync(path, `${toJson(record)}\n`);
