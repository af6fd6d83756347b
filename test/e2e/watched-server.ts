import assert from 'node:assert/strict';
import { residentBytes } from '../../bench/process-usage.ts';
import { getJson, getSelfMetrics, waitFor } from '../../bench/server-api.ts';
import type { ServerProcess } from '../../bench/server-process.ts';
import type { Event } from '../../src/model/event.ts';

const MIB = 2 ** 20;

/** An event of now, which no clock finds too old or too new. */
export function eventOf(service: string, message = '', metadata: Record<string, unknown> = {}): Event {
  return { timestamp: new Date().toISOString(), service, level: 'INFO', message, metadata };
}

/** The server answers, takes an event and has nothing of the requests before in its hands. */
export async function assertUnharmed(server: ServerProcess): Promise<void> {
  assert.deepEqual(await getJson(server.url, '/healthz'), { status: 'ok' });
  const body = JSON.stringify(eventOf('unharmed'));
  const answer = await fetch(new URL('/api/v1/events', server.url), { method: 'POST', body });
  assert.equal(answer.status, 202);
  await waitFor('the memory of refused requests to be released', 10_000, async () => {
    const pending = (await getSelfMetrics(server.url)).get('helios_ingest_pending_bytes');
    return pending === 0 ? true : undefined;
  });
}

/** Resident memory in MiB. */
export function residentMiB(server: ServerProcess): number {
  return Math.round(residentBytes(server.pid) / MIB);
}

/** It has logged no failure of its own and ends in an orderly way. */
export async function assertCleanEnd(server: ServerProcess): Promise<void> {
  const exitCode = await server.stop();
  assert.equal(exitCode, 0, server.errorOutput);
  assert.doesNotMatch(server.errorOutput, /"level":50|rejection|a bug|Warning/i);
}
