const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const SIZE_UNITS: Record<string, number> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Milliseconds of "5m", "1h30m" or "250ms"; a bare number is milliseconds; "none" is Infinity. NaN when malformed. */
export function parseDurationMs(text: string): number {
  if (text === 'none') return Infinity;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(text)) return NaN;
  let total = 0;
  for (const [, value, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) {
    total += Number(value) * (DURATION_UNITS[unit as string] as number);
  }
  return total;
}

/** Bytes of "64MiB" or "1GB"; a bare number is bytes; "none" is Infinity. NaN when malformed. */
export function parseSizeBytes(text: string): number {
  if (text === 'none') return Infinity;
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]i?B|B)?$/.exec(text);
  return match ? Number(match[1]) * (SIZE_UNITS[match[2] ?? 'B'] as number) : NaN;
}

/** The shortest exact spelling of a duration: 300000 → "5m". */
export function formatDurationMs(ms: number): string {
  if (ms === Infinity) return 'none';
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = DURATION_UNITS[unit] as number;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** The shortest exact spelling of a size: 67108864 → "64MiB". */
export function formatSizeBytes(bytes: number): string {
  if (bytes === Infinity) return 'none';
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const size = SIZE_UNITS[unit] as number;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}
