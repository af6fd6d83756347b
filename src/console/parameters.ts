import { z } from 'zod';
import { parseTime } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { parseDurationMs } from '../lib/units.ts';
import { LEVELS, levelCode } from '../model/event.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';

/** Most points that one series of an answer has, as in Prometheus. */
export const MAX_POINTS = 11_000;
/** Range of a query that gives no `from`, milliseconds. */
export const DEFAULT_RANGE_MS = 3_600_000;
/** Steps that a query without one may get, milliseconds: the finest that gives at most `AUTO_POINTS` points. */
const AUTO_STEPS_MS = [10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 21_600_000];
const LONGEST_AUTO_STEP_MS = 86_400_000;
const AUTO_POINTS = 300;
const MAX_TIME_MS = 8.64e15;

/** Milliseconds since the epoch of ISO 8601 (UTC when it has no offset) or of epoch milliseconds; NaN when malformed. */
export function parseTimeParameter(text: string): number {
  if (/^-?\d{1,16}(\.\d+)?$/.test(text)) return Math.abs(Number(text)) <= MAX_TIME_MS ? Number(text) : NaN;
  // A "+" that the client did not escape arrives as a space.
  const match = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)([Zz]|[+\- ]\d\d:?\d\d)?)?$/.exec(text);
  if (!match) return NaN;
  const offset = (match[3] ?? 'Z')
    .toUpperCase()
    .replace(' ', '+')
    .replace(/(\d\d)(\d\d)$/, '$1:$2');
  return parseTime(`${match[1]}T${match[2] ?? '00:00'}${offset}`);
}

export const timeParameter = z
  .string()
  .transform((text, context) => {
    const ms = parseTimeParameter(text);
    if (Number.isNaN(ms)) {
      context.addIssue({ code: 'custom', message: `"${text}" is neither an ISO 8601 time nor milliseconds since the epoch` });
    }
    return ms;
  })
  .meta({ description: 'ISO 8601 (UTC when it has no offset) or milliseconds since the epoch' });

/** Milliseconds, or `raw` for points as they were received. */
export const stepParameter = z
  .string()
  .transform((text, context): number | 'raw' => {
    if (text === 'raw') return text;
    const ms = parseDurationMs(text);
    if (!(ms > 0) || ms === Infinity || ms % SUB_WINDOW_MS !== 0) {
      context.addIssue({
        code: 'custom',
        message: `"${text}" is neither raw nor a multiple of ${SUB_WINDOW_MS / 1000} s such as 10s, 1m or 1h`,
      });
    }
    return ms;
  })
  .meta({
    description:
      'Width of a bucket: 10s, 1m, 5m or milliseconds; a multiple of 10 s. Absent: a fitting one. raw: the points of received series as they are',
  });

export const limitParameter = z.coerce
  .number('must be a whole number from 1 to 1000')
  .int('must be a whole number from 1 to 1000')
  .min(1, 'must be from 1 to 1000')
  .max(1000, 'must be from 1 to 1000')
  .default(100)
  .meta({ description: 'Most items in the answer, 1 to 1000' });

export const serviceParameter = z.string().min(1).meta({ description: 'Bare service name, or environment/namespace/service' });

export const cursorParameter = z.string().min(1).meta({ description: 'nextCursor of the page before' });

/** A parameter given several times, or once with commas. */
export function listParameter<T extends z.ZodType<unknown, string>>(item: T, description: string) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((value) => (Array.isArray(value) ? value : [value]).flatMap((text) => text.split(',')))
    .pipe(z.array(item))
    .prefault([])
    .meta({ description });
}

/** Level code of a severity name as events may spell it. */
export const levelParameter = z.string().transform((text, context) => {
  const code = levelCode(text.trim());
  if (code === 0) {
    context.addIssue({ code: 'custom', message: `"${text}" is not a level: take ${LEVELS.slice(1).join(', ')}` });
  }
  return code;
});

export const rangeParameters = { from: timeParameter.optional(), to: timeParameter.optional() };
export const pageParameters = { limit: limitParameter, cursor: cursorParameter.optional() };

const LABEL_PREFIX = 'label.';

/** The parameters given, and any number of `label.KEY=VALUE`; others are refused as everywhere. */
export function withLabels<T extends z.ZodRawShape>(shape: T) {
  return z.looseObject(shape).superRefine((query, context) => {
    for (const [key, value] of Object.entries(query as Record<string, unknown>)) {
      if (Object.hasOwn(shape, key)) continue;
      if (!key.startsWith(LABEL_PREFIX) || key === LABEL_PREFIX) {
        context.addIssue({ code: 'unrecognized_keys', keys: [key], input: query });
      } else if (typeof value !== 'string') {
        context.addIssue({ code: 'custom', path: [key], message: 'is given more than once' });
      }
    }
  });
}

/** Values by label of a query that `withLabels` has judged. */
export function labelsOf(query: Record<string, unknown>): Record<string, string> {
  const labels = Object.entries(query).filter(([key]) => key.startsWith(LABEL_PREFIX));
  return Object.fromEntries(labels.map(([key, value]) => [key.slice(LABEL_PREFIX.length), value as string]));
}

/** Without the keys whose value is undefined. */
export function present<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as never;
}

interface OptionalRange {
  from?: number | undefined;
  to?: number | undefined;
}

/** `from` and `to` under the store's names, left out where the request has none. */
export function openRange({ from, to }: OptionalRange): { fromMs?: number; toMs?: number } {
  if (from !== undefined && to !== undefined) checkRange(from, to);
  return { ...(from === undefined ? {} : { fromMs: from }), ...(to === undefined ? {} : { toMs: to }) };
}

/** `to` defaults to the end of the current minute, `from` to an hour before `to`. */
export function boundedRange({ from, to }: OptionalRange, nowMs: number): { fromMs: number; toMs: number } {
  const toMs = to ?? Math.floor(nowMs / 60_000 + 1) * 60_000;
  const fromMs = from ?? toMs - DEFAULT_RANGE_MS;
  checkRange(fromMs, toMs);
  return { fromMs, toMs };
}

function checkRange(fromMs: number, toMs: number): void {
  if (fromMs < toMs) return;
  throw new HeliosError('invalid_argument', 'cannot read the query: from is not earlier than to', { details: { field: 'from' } });
}

/** The step asked for, or a fitting one. Throws `invalid_argument` when the range has too many of them. */
export function stepOf(stepMs: number | undefined, range: { fromMs: number; toMs: number }): number {
  const rangeMs = range.toMs - range.fromMs;
  const step = stepMs ?? AUTO_STEPS_MS.find((auto) => rangeMs / auto <= AUTO_POINTS) ?? LONGEST_AUTO_STEP_MS;
  if (rangeMs / step <= MAX_POINTS) return step;
  const reason = `the range holds more than ${MAX_POINTS} steps; take a longer step or a shorter range`;
  throw new HeliosError('invalid_argument', `cannot read the query: ${reason}`, { details: { field: 'step' } });
}
