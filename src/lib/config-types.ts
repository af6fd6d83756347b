import { z } from 'zod';
import { parseDurationMs, parseSizeBytes } from './units.ts';

function durationText() {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const ms = parseDurationMs(String(value));
    if (Number.isNaN(ms)) context.addIssue({ code: 'custom', message: `"${value}" is not a duration such as 30s, 5m or 7d` });
    return ms;
  });
}

/** "5m" in the file, milliseconds in the program. The default is given in the file's spelling. */
export function duration(fallback: string) {
  return durationText().prefault(fallback).meta({ unit: 'duration' });
}

/** As `duration`, of what has to end: "none" is refused, and less than `leastMs`. */
export function finiteDuration(fallback: string, leastMs = 0) {
  return durationText()
    .refine((ms) => Number.isFinite(ms) && ms >= leastMs, {
      error: `must be a time that ends${leastMs > 0 ? `, at least ${leastMs < 1000 ? `${leastMs}ms` : `${leastMs / 1000}s`}` : ''}`,
    })
    .prefault(fallback)
    .meta({ unit: 'duration' });
}

export function optionalDuration() {
  return durationText().optional().meta({ unit: 'duration' });
}

function sizeText() {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const bytes = parseSizeBytes(String(value));
    if (Number.isNaN(bytes)) context.addIssue({ code: 'custom', message: `"${value}" is not a size such as 512KiB or 64MiB` });
    return bytes;
  });
}

/** "64MiB" in the file, bytes in the program. */
export function size(fallback: string) {
  return sizeText().prefault(fallback).meta({ unit: 'size' });
}

export function optionalSize() {
  return sizeText().optional().meta({ unit: 'size' });
}
