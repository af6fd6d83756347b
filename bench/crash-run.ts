import type { Event } from '../src/model/event.ts';
import { createPrng } from '../src/lib/prng.ts';
import { CrashClient } from './crash-client.ts';
import type { Ledger } from './crash-client.ts';
import { getJson, listAll, waitFor } from './server-api.ts';
import type { ListPage } from './server-api.ts';
import { ServerProcess } from './server-process.ts';

export interface CrashOptions {
  dataDir: string;
  kills: number;
  /** SIGKILL, or SIGTERM, at which the server has to end in an orderly way. */
  signal?: 'SIGKILL' | 'SIGTERM';
  seed: number;
  connections: number;
  /** Time under load before each kill: this long at least, this much more at random, milliseconds. */
  minLifeMs: number;
  spreadMs: number;
  /** Further arguments of `helios serve`. */
  args?: readonly string[];
}

export interface CrashOutcome {
  kills: number;
  acknowledged: number;
  requests: number;
  retriedRequests: number;
  /** Acknowledged request ids that the API does not return, or returns more than once. */
  lost: number;
  duplicated: number;
  /** Events that nobody acknowledged. */
  unknown: number;
  /** Services whose derived event count differs from what was acknowledged, and by how much in all. */
  wrongServices: number;
  rollupDifference: number;
  slowestRestartMs: number;
  exitCode: number | null;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

interface ServiceCount {
  service: string;
  eventCount: number;
}

/** Derived counts by service, once they have stopped to grow for a while. */
async function settledCounts(url: string, expected: number): Promise<ServiceCount[]> {
  let last = -1;
  let since = performance.now();
  return waitFor('the rollups to settle', 120_000, async () => {
    const query = { from: 0, to: Date.UTC(2100, 0) };
    const { items } = await getJson<ListPage<ServiceCount>>(url, '/api/v1/services', query);
    const total = items.reduce((sum, { eventCount }) => sum + eventCount, 0);
    if (total !== last) {
      last = total;
      since = performance.now();
    }
    // The pipeline commits once a second: what has not changed for three will not, right or wrong.
    return total === expected || performance.now() - since > 3000 ? items : undefined;
  });
}

async function countIds(url: string, fromMs: number): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for await (const { metadata } of listAll<Event>(url, '/api/v1/events', { from: fromMs, to: Date.now() + 3_600_000 })) {
    const id = String(metadata['request_id']);
    seen.set(id, (seen.get(id) ?? 0) + 1);
  }
  return seen;
}

async function audit(url: string, ledger: Ledger, fromMs: number) {
  const counts = await settledCounts(url, ledger.ids.size);
  const differences = [...ledger.byService].map(([service, count]) => {
    const found = counts.find((one) => one.service === service)?.eventCount ?? 0;
    return Math.abs(found - count);
  });
  const strangers = counts.filter(({ service }) => !ledger.byService.has(service)).map(({ eventCount }) => eventCount);
  const wrong = [...differences, ...strangers].filter((difference) => difference !== 0);
  const seen = await countIds(url, fromMs);
  return {
    lost: [...ledger.ids].filter((id) => !seen.has(id)).length,
    duplicated: [...seen.values()].filter((times) => times > 1).length,
    unknown: [...seen.keys()].filter((id) => !ledger.ids.has(id)).length,
    wrongServices: wrong.length,
    rollupDifference: wrong.reduce((sum, difference) => sum + difference, 0),
  };
}

async function stopped(server: ServerProcess): Promise<void> {
  const exitCode = await server.stop();
  if (exitCode !== 0) throw new Error(`the server ended with ${exitCode} at SIGTERM`);
}

/**
 * Kills a server again and again under load, at seeded moments, and starts it on the same data; then asks the API for
 * every event by its request id, and for the counts derived from them.
 */
export async function runCrashes(options: CrashOptions): Promise<CrashOutcome> {
  const { dataDir, kills, seed, connections, args = [] } = options;
  const prng = createPrng(seed);
  const fromMs = Date.now() - 60_000;
  let server = await ServerProcess.start({ dataDir, args });
  let slowestRestartMs = 0;
  try {
    const client = new CrashClient(seed, () => new URL('/api/v1/events', server.url));
    client.start(connections);
    for (let kill = 0; kill < kills; kill++) {
      await pause(options.minLifeMs + prng.next() * options.spreadMs);
      if (options.signal === 'SIGTERM') await stopped(server);
      else await server.kill();
      const startMs = performance.now();
      server = await ServerProcess.start({ dataDir, args });
      slowestRestartMs = Math.max(slowestRestartMs, performance.now() - startMs);
    }
    await pause(options.minLifeMs);
    await client.finish();
    const { ledger } = client;
    const found = await audit(server.url, ledger, fromMs);
    const exitCode = await server.stop();
    const { requests, retried: retriedRequests } = ledger;
    return { kills, acknowledged: ledger.ids.size, requests, retriedRequests, ...found, slowestRestartMs, exitCode };
  } finally {
    await server.kill();
  }
}
