import { parseArgs } from 'node:util';
import { isDoorName } from './load-doors.ts';
import type { DoorName } from './load-doors.ts';

export interface LoadOptions {
  /** Of the server, without a path. */
  url: string;
  /** One of LOAD_DOORS. */
  door: DoorName;
  /** In the place of the door's own, for a server that is not HELIOS; "" is the door's. */
  path: string;
  /** Events or points a request. */
  batch: number;
  /** Requests in flight. */
  connections: number;
  /** HTTP/2 connections that gRPC calls share. */
  sessions: number;
  durationSeconds: number;
  warmupSeconds: number;
  /** Events a second of an open loop; 0 is a closed loop: every connection posts as soon as it has its answer. */
  rate: number;
  /** Stop after so many events; 0 is no limit. */
  events: number;
  idempotency: boolean;
  seed: number;
  /** Timestamps from here, evenly over `spanMs`, for `events` events; with a span of 0 every batch is stamped now. */
  fromMs: number;
  spanMs: number;
  /** Tells of the latencies so far every so often; 0 is never. */
  reportSeconds: number;
}

const DEFAULTS: LoadOptions = {
  url: 'http://127.0.0.1:8080',
  door: 'http',
  path: '',
  batch: 100,
  connections: 32,
  sessions: 4,
  durationSeconds: 10,
  warmupSeconds: 2,
  rate: 0,
  events: 0,
  idempotency: false,
  seed: 1,
  fromMs: 0,
  spanMs: 0,
  reportSeconds: 0,
};

export function loadOptions(partial: Partial<LoadOptions>): LoadOptions {
  return { ...DEFAULTS, ...partial };
}

/** Flags are the names above: `--batch 1000 --idempotency true`. Throws for unknown ones. */
export function parseLoadOptions(argv: string[]): LoadOptions {
  const names = Object.keys(DEFAULTS);
  const { values } = parseArgs({
    args: argv,
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  });
  const given = Object.entries(values).map(([name, text]) => {
    const fallback = DEFAULTS[name as keyof LoadOptions];
    const value = typeof fallback === 'number' ? Number(text) : typeof fallback === 'boolean' ? text === 'true' : text;
    if (name === 'door' && !isDoorName(String(value))) throw new Error(`there is no door ${String(value)}`);
    if (Number.isNaN(value)) throw new Error(`--${name} takes a number, not ${String(text)}`);
    return [name, value];
  });
  return loadOptions(Object.fromEntries(given) as Partial<LoadOptions>);
}

export function loadArguments(options: LoadOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
