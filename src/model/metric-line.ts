import { isUtf8 } from 'node:buffer';
import type { SeriesKey, SeriesKind } from './metric.ts';
import { SERIES_KINDS } from './metric.ts';

const MAX_NAME_BYTES = 255;
const TEXT_KEYS = ['name', 'kind', 'unit', 'service', 'environment', 'namespace'] as const;
/** name to namespace, and labels. */
const HEAD_KEYS = TEXT_KEYS.length + 1;

/** Numbers that JSON lacks, as lines spell them. */
export const SPECIAL_VALUES: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity };

export interface MetricLine {
  key: SeriesKey;
  /** Time, value and start, NaN where no start is known. */
  points: [timestamp: number, value: number, start: number][];
}

/** The series that a head names, or null when it is not one: `value` is the parsed line without its points. */
export function seriesKeyOf(value: Record<string, unknown>): SeriesKey | null {
  const { labels } = value;
  if (Object.keys(value).length !== HEAD_KEYS || TEXT_KEYS.some((key) => typeof value[key] !== 'string')) return null;
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) return null;
  if (Object.values(labels).some((label) => typeof label !== 'string')) return null;
  const { name, kind, unit, service, environment, namespace } = value as Record<(typeof TEXT_KEYS)[number], string>;
  const nameBytes = Buffer.byteLength(name);
  if (nameBytes === 0 || nameBytes > MAX_NAME_BYTES || !(SERIES_KINDS as readonly string[]).includes(kind)) return null;
  return { name, kind: kind as SeriesKind, unit, service, environment, namespace, labels: labels as Record<string, string> };
}

/** The number that a point's value stands for, or undefined when it is none. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && Object.hasOwn(SPECIAL_VALUES, value) ? SPECIAL_VALUES[value] : undefined;
}

function pointOf(point: unknown): [number, number, number] | null {
  if (!Array.isArray(point) || point.length < 2 || point.length > 3) return null;
  const [timestamp, written, start] = point as unknown[];
  const value = numberOf(written);
  if (!Number.isFinite(timestamp) || value === undefined || (point.length === 3 && !Number.isFinite(start))) return null;
  return [timestamp as number, value, point.length === 3 ? (start as number) : NaN];
}

/** JSON object in bytes, or null. */
export function parseObject(bytes: Uint8Array): Record<string, unknown> | null {
  if (!isUtf8(bytes)) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** What a line of the metrics log says, or null when it is malformed: the plain twin of the metric scanner's fast path. */
export function parseMetricLine(bytes: Uint8Array): MetricLine | null {
  const parsed = parseObject(bytes);
  if (!parsed || !Array.isArray(parsed['points'])) return null;
  const { points: written, ...head } = parsed;
  const key = seriesKeyOf(head);
  const points = (written as unknown[]).map(pointOf);
  return key && points.every((point) => point !== null) ? { key, points } : null;
}
