import { z } from 'zod';
import { parseDurationMs, parseSizeBytes } from './units.ts';

/** "5m" in the file, milliseconds in the program. The default is given in the file's spelling. */
export function duration(fallback: string) {
  return z
    .union([z.string(), z.number()])
    .transform((value, context) => {
      const ms = parseDurationMs(String(value));
      if (Number.isNaN(ms)) context.addIssue({ code: 'custom', message: `"${value}" is not a duration such as 30s, 5m or 7d` });
      return ms;
    })
    .prefault(fallback)
    .meta({ unit: 'duration' });
}

/** "64MiB" in the file, bytes in the program. */
export function size(fallback: string) {
  return z
    .union([z.string(), z.number()])
    .transform((value, context) => {
      const bytes = parseSizeBytes(String(value));
      if (Number.isNaN(bytes)) context.addIssue({ code: 'custom', message: `"${value}" is not a size such as 512KiB or 64MiB` });
      return bytes;
    })
    .prefault(fallback)
    .meta({ unit: 'size' });
}
