import type { Rejection } from './scanner.ts';

/**
 * How a series' values are to be read. `cumulative`: a total since a start that may be reset (a value below the one before,
 * or a later start). `delta`: what was added since the point before. `gauge`: a reading.
 */
export const SERIES_KINDS = ['gauge', 'cumulative', 'delta'] as const;
export type SeriesKind = (typeof SERIES_KINDS)[number];

/** What identifies a series. Histograms and summaries are several series, named as Prometheus names them. */
export interface SeriesKey {
  /** As sent, without a unit added: `http.server.request.duration_bucket`. 1 to 255 bytes. */
  name: string;
  kind: SeriesKind;
  /** UCUM as sent, "" for none. */
  unit: string;
  service: string;
  environment: string;
  namespace: string;
  /** Without what became service, environment and namespace; every value is text. */
  labels: Record<string, string>;
}

/**
 * The currency inside for metrics, and the lines of the `metrics` log: one series and its points a line,
 *
 *     {"name":"queue.depth","kind":"gauge","unit":"1","service":"shop","environment":"prod","namespace":"",
 *      "labels":{"a":"1","b":"2"},"points":[[1731000000000.25,12.5],[1731000001000,13]]}
 *
 * (on one line, without white space). Keys stand in this order and labels in ascending order of their UTF-8 bytes, so the bytes
 * before `,"points":` are the series' head: equal heads are one series, and nobody has to parse one that is known.
 * A point is [milliseconds since the epoch, value] or, where the start of a total is known, [milliseconds, value, start in
 * milliseconds]. A value that JSON lacks is written "NaN", "Infinity" or "-Infinity".
 */
export const POINTS_KEY = ',"points":';

/** Points of known series as columns; rows 0..count-1 are valid until the next scan. */
export interface MetricBatch {
  count: number;
  /** Ids of series heads in `heads`; 0 is never used. */
  series: Uint32Array;
  /** Milliseconds since the epoch. */
  timestamp: Float64Array;
  value: Float64Array;
  /** Milliseconds since the epoch; NaN when not known. */
  start: Float64Array;
  /** Parsed heads by id. Ids keep their meaning as long as this is the same array; a scanner that knows too many heads starts a new one. */
  heads: readonly SeriesKey[];
}

/** What a door makes of a request with metrics: lines as above, and what had to be left out. */
export interface MetricLines {
  /** Newline after each line. */
  bytes: Uint8Array;
  lines: number;
  points: number;
  /** Smallest and largest point time; Infinity and -Infinity without points. */
  minTimestampMs: number;
  maxTimestampMs: number;
  /** Points left out. */
  rejectedCount: number;
  /** Up to MAX_LISTED_REJECTIONS; `index` counts the request's points from 0. */
  rejections: Rejection[];
}
