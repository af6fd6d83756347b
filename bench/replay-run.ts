import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitForEvents } from './server-api.ts';

const LAUNCHER = join(import.meta.dirname, '../bin/helios');

/** Days of real events of two microservice systems, by folder below HELIOS_TEST_DATA. */
export const REAL_DAYS = ['nezha-online-boutique-2022-08-22', 'nezha-train-ticket-2023-01-29', 'nezha-train-ticket-2023-01-30'];
export const REAL_EVENTS = 1_103_809;

export interface RealDay {
  name: string;
  events: string;
  faults: string;
}

/** The days in a folder; null when it lacks one. */
export function realDays(folder: string | undefined): RealDay[] | null {
  if (folder === undefined) return null;
  const days = REAL_DAYS.map((name) => ({
    name,
    events: join(folder, name, 'events.ndjson.gz'),
    faults: join(folder, name, 'faults.json'),
  }));
  return days.every(({ events }) => existsSync(events)) ? days : null;
}

export interface ReplayOutcome {
  accepted: number;
  rejected: number;
  seconds: number;
}

/** Runs `helios replay` into an empty server and waits until the API counts it all. */
export async function replay(url: string, files: readonly string[]): Promise<ReplayOutcome> {
  const startMs = performance.now();
  const child = spawn(LAUNCHER, ['replay', ...files, '--url', url, '--json'], {
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`helios replay ended with ${code}`);
  const { accepted, rejected } = JSON.parse(text) as { accepted: number; rejected: number };
  await waitForEvents(url, accepted, 300_000);
  return { accepted, rejected, seconds: (performance.now() - startMs) / 1000 };
}
