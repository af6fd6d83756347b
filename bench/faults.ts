import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createGenerator } from '../src/generate/generator.ts';
import { createPrng } from '../src/lib/prng.ts';
import type { Prng } from '../src/lib/prng.ts';
import { textTable } from './load-table.ts';
import { differences } from './stack-audit.ts';
import type { StackAudit, StoredEvents, StoredVerdicts } from './stack-audit.ts';
import { drawFaults, strike } from './stack-faults.ts';
import type { FaultKind } from './stack-faults.ts';
import { StackSender } from './stack-sender.ts';
import { startStackServers } from './stack-servers.ts';

/**
 * Exactly once through Kafka and the database: the same generated events twice through one process a role, once undisturbed and once with
 * seeded faults (kill -9 of roles, broker and database, a store that is paused past its session). Every acknowledged event must be stored once,
 * and anomalies and incidents must be the same, ids included.
 *
 *     HELIOS_TEST_SERVERS=DIR node bench/faults.ts [--events 2000000] [--faults 20] [--seed 1] [--rate 12000] [--services 40]
 */
const { values: flags } = parseArgs({
  options: {
    events: { type: 'string', default: '2000000' },
    faults: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '12000' },
    services: { type: 'string', default: '40' },
  },
});
const BATCH = 1000;
const START_MS = Date.UTC(2026, 0, 5, 10);
const EVENTS_PER_S = 280;
const SETTLED_MS = 8000;
const SETTLE_TIMEOUT_MS = 300_000;

const seed = Number(flags.seed);
const wanted = Number(flags.events);

interface Outcome {
  acknowledged: number;
  retries: number;
  faults: number;
  stored: StoredEvents;
  verdicts: StoredVerdicts;
  tookMs: number;
}

function generator() {
  const durationMs = Math.ceil(wanted / EVENTS_PER_S) * 1000;
  return createGenerator({
    seed,
    startMs: START_MS,
    durationMs,
    rate: EVENTS_PER_S,
    services: Number(flags.services),
    faults: 6,
    warmUpMs: Math.min(1_800_000, durationMs / 3),
  });
}

/** Waits until nothing moves any more. */
async function settle(audit: StackAudit): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_TIMEOUT_MS;
  let last = '';
  let sinceMs = performance.now();
  while (performance.now() - sinceMs < SETTLED_MS) {
    if (performance.now() > deadlineMs) throw new Error('the stack does not settle');
    const now = `${await audit.progress()} ${await audit.pendingAlerts()}`;
    if (now !== last) sinceMs = performance.now();
    last = now;
    await sleep(500);
  }
}

interface Sending {
  sender: StackSender;
  faultCount: number;
  strike: (kind: FaultKind, prng: Prng) => Promise<void>;
}

/** Sends everything; faults strike at even distances, while events go on until the next one is due. */
async function sendThrough({ sender, faultCount, strike: doStrike }: Sending): Promise<void> {
  const prng = createPrng(seed);
  const kinds = drawFaults(prng, faultCount);
  const startMs = performance.now();
  let striking = Promise.resolve();
  let number = 0;
  for (const { bytes, count } of generator().events(BATCH)) {
    const done = faultCount - kinds.length;
    const kind = kinds[0];
    if (kind !== undefined && sender.acknowledged >= (wanted * (done + 1)) / (faultCount + 2)) {
      await striking;
      kinds.shift();
      process.stderr.write(`${Math.round((performance.now() - startMs) / 1000)} s, ${sender.acknowledged} events: ${kind}\n`);
      striking = doStrike(kind, prng);
      striking.catch(() => {});
    }
    const aheadMs = (sender.acknowledged / Number(flags.rate)) * 1000 - (performance.now() - startMs);
    if (aheadMs > 5) await sleep(aheadMs);
    await sender.send(bytes, count, `batch-${number++}`);
    if (sender.acknowledged >= wanted) break;
  }
  await striking;
}

async function run(faultCount: number): Promise<Outcome> {
  await using servers = await startStackServers({
    args: ['--clock', 'events', '--set', 'store.checkpoint_interval=5s'],
    replicas: faultCount > 0 ? { ingest: 2, store: 2, detect: 2, report: 2 } : {},
  });
  const { stack, audit } = servers;
  const doors = stack.names().filter((name) => name.startsWith('ingest'));
  await using sender = new StackSender({ urls: () => doors.map((name) => stack.url(name)) });
  const startMs = performance.now();
  await sendThrough({ sender, faultCount, strike: (kind, prng) => strike(kind, servers, prng) });
  await settle(audit);
  const [stored, verdicts] = [await audit.events(), await audit.verdicts()];
  const { acknowledged, retries } = sender;
  return { acknowledged, retries, faults: faultCount, stored, verdicts, tookMs: performance.now() - startMs };
}

const plain = await run(0);
const faulty = await run(Number(flags.faults));
const rows = [plain, faulty].map(({ faults, acknowledged, stored, retries, verdicts, tookMs }) => [
  faults,
  acknowledged,
  stored.rows,
  acknowledged - stored.distinct,
  stored.rows - stored.distinct,
  retries,
  verdicts.anomalies.size,
  verdicts.incidents.size,
  verdicts.reports.size,
  Math.round(tookMs / 1000),
]);
const head = ['faults', 'acknowledged', 'stored', 'lost', 'doubled', 'retries', 'anomalies', 'incidents', 'reports', 's'];
process.stdout.write(textTable(head, rows));
const wrongAnomalies = differences(plain.verdicts.anomalies, faulty.verdicts.anomalies);
const wrongIncidents = differences(plain.verdicts.incidents, faulty.verdicts.incidents);
process.stdout.write(`anomalies that differ: ${wrongAnomalies.length}, incidents that differ: ${wrongIncidents.length}\n`);
for (const id of [...wrongAnomalies.slice(0, 3), ...wrongIncidents.slice(0, 3)]) {
  const of = ({ verdicts }: Outcome) => JSON.stringify(verdicts.anomalies.get(id) ?? verdicts.incidents.get(id) ?? null);
  process.stdout.write(`${id}\n  without faults ${of(plain)}\n  with faults    ${of(faulty)}\n`);
}
const isWrong = ({ acknowledged, stored }: Outcome): boolean => stored.rows !== acknowledged || stored.distinct !== acknowledged;
if (isWrong(plain) || isWrong(faulty) || wrongAnomalies.length + wrongIncidents.length > 0) process.exitCode = 1;
