import { createPrng } from '../src/lib/prng.ts';
import { auditLogs, settledCounts } from './crash-audit.ts';
import type { AuditResult } from './crash-audit.ts';
import { CrashClients, clientsOfDoors } from './crash-clients.ts';
import type { DoorName } from './load-doors.ts';
import { ServerProcess } from './server-process.ts';

export interface CrashOptions {
  dataDir: string;
  kills: number;
  /** SIGKILL, or SIGTERM, at which the server has to end in an orderly way. */
  signal?: 'SIGKILL' | 'SIGTERM';
  seed: number;
  doors: readonly DoorName[];
  /** Mean pause of each client between two requests, milliseconds. */
  paceMs: number;
  /** Time under load before each kill: this long at least, this much more at random, milliseconds. */
  minLifeMs: number;
  spreadMs: number;
  /** Further arguments of `helios serve`. */
  args?: readonly string[];
}

export interface CrashOutcome extends AuditResult {
  kills: number;
  acknowledgedEvents: number;
  acknowledgedPoints: number;
  acknowledgedByDoor: Record<string, number>;
  requests: number;
  retriedRequests: number;
  slowestRestartMs: number;
  exitCode: number | null;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function end(server: ServerProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (signal === 'SIGKILL') return server.kill();
  const exitCode = await server.stop();
  if (exitCode !== 0) throw new Error(`the server ended with ${exitCode} at SIGTERM: ${server.errorOutput}`);
}

/**
 * Ends a server again and again under load through many doors, at seeded moments, and starts it on the same data; then reads
 * both logs and asks the API for the counts derived from them.
 */
export async function runCrashes(options: CrashOptions): Promise<CrashOutcome> {
  const { dataDir, kills, doors, seed, paceMs, signal = 'SIGKILL', args = [] } = options;
  const prng = createPrng(seed);
  let server = await ServerProcess.start({ dataDir, args });
  let slowestRestartMs = 0;
  try {
    const clients = new CrashClients({ kinds: clientsOfDoors(doors), seed, paceMs, server: () => server });
    for (let kill = 0; kill < kills; kill++) {
      await pause(options.minLifeMs + prng.next() * options.spreadMs);
      await end(server, signal);
      const startMs = performance.now();
      server = await ServerProcess.start({ dataDir, args });
      slowestRestartMs = Math.max(slowestRestartMs, performance.now() - startMs);
    }
    await pause(options.minLifeMs);
    await clients.finish();
    const derived = await settledCounts(server.url);
    const exitCode = await server.stop();
    const { events, points } = clients.ledgers;
    return {
      kills,
      acknowledgedEvents: events.acknowledged.size,
      acknowledgedPoints: points.acknowledged.size,
      acknowledgedByDoor: Object.fromEntries([...events.acknowledgedByDoor, ...points.acknowledgedByDoor]),
      requests: events.requests + points.requests,
      retriedRequests: events.retried,
      ...(await auditLogs(dataDir, clients.ledgers, derived)),
      slowestRestartMs,
      exitCode,
    };
  } finally {
    await server.kill();
  }
}
