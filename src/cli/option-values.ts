import { InvalidArgumentError } from 'commander';
import { parseTime } from '../lib/clock.ts';
import { parseDurationMs } from '../lib/units.ts';

/** Parsers of option values for commander; each refuses with a sentence that names what was expected. */
export function durationOption(text: string): number {
  const ms = parseDurationMs(text);
  if (!Number.isFinite(ms) || ms <= 0) throw new InvalidArgumentError('Expected a duration such as 30s, 5m or 2h.');
  return ms;
}

export function positiveNumberOption(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

export function nonNegativeNumberOption(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('Expected a number of at least 0.');
  return value;
}

export function integerOption(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

export function positiveIntegerOption(text: string): number {
  const value = integerOption(text);
  if (value === 0) throw new InvalidArgumentError('Expected a whole number above 0.');
  return value;
}

export function timeOption(text: string): number {
  const ms = parseTime(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('Expected a time such as 2025-10-08T10:30:00Z.');
  return ms;
}
