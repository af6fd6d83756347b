import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { detectConfigSchema } from '../detect/config.ts';
import { createDetector } from '../detect/engine.ts';
import { isoTime, ManualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { createPrng, type Prng } from '../lib/prng.ts';
import { logConfigSchema } from '../log/config.ts';
import { openEmbeddedLog } from '../log/embedded/embedded-log.ts';
import { openLogReader } from '../log/embedded/segment-reader.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Anomaly } from '../model/anomaly.ts';
import { createNames } from '../model/event-batch.ts';
import type { Incident } from '../model/incident.ts';
import { createJsonScanner } from '../model/json-scanner.ts';
import type { SimulationResult } from '../model/simulation.ts';
import { storeConfigSchema } from '../store/config.ts';
import { openStoreWriter } from '../store/embedded/store-writer.ts';
import { Pipeline, type PipelineOutput } from './pipeline.ts';
import { runSimulation, type SimulationRun } from './simulation-run.ts';

const START_MS = Date.parse('2026-01-05T10:00:00Z');
const SECONDS = 36 * 60;
const FAULT_SECOND = 20 * 60;
const FAULT_END_SECOND = 28 * 60;
const END_MS = START_MS + SECONDS * 1000 + 60_000;
const present = detectConfigSchema.parse({});

/** One second of two services; shop fails for a while, bank falls silent in it. */
function second(at: number, prng: Prng): { bytes: Buffer; count: number } {
  const isFault = at >= FAULT_SECOND && at < FAULT_END_SECOND;
  const lines: string[] = [];
  for (let i = 0; i < 40; i++) {
    const service = i % 2 === 0 ? 'shop' : 'bank';
    if (service === 'bank' && at >= FAULT_SECOND + 120 && at < FAULT_END_SECOND) continue;
    const fails = prng.next() < (service === 'shop' && isFault ? 0.3 : 0.01);
    const timestamp = isoTime(START_MS + at * 1000 + i * 20);
    const metadata = { latency_ms: 20 + prng.below(10) };
    lines.push(JSON.stringify({ timestamp, service, level: fails ? 'ERROR' : 'INFO', message: 'order', metadata }));
  }
  return { bytes: Buffer.from(`${lines.join('\n')}\n`), count: lines.length };
}

interface Live {
  dir: string;
  log: EventLog;
  anomalies: Map<string, Anomaly>;
  incidents: Map<string, Incident>;
}

async function openPipeline(live: Live, clock: ManualClock, clockMode: 'wall' | 'events') {
  const common = { clock, logger: silentLogger, metrics: silentMetrics };
  const writer = await openStoreWriter({ dir: live.dir, config: storeConfigSchema.parse({}), ...common });
  const pipeline = new Pipeline({
    ...common,
    reader: openLogReader({ dir: live.dir }),
    writer,
    detector: createDetector({ config: present, clock: clockMode, seed: 1 }),
    scanner: createJsonScanner(createNames()),
    clockMode,
    committedOffset: () => live.log.committedOffset(),
    commitIntervalMs: 60_000,
    checkpointIntervalMs: 600_000,
    publish: ({ anomalies, incidents }: PipelineOutput) => {
      for (const anomaly of anomalies) live.anomalies.set(anomaly.id, anomaly);
      for (const incident of incidents) live.incidents.set(incident.id, incident);
    },
    onProgress: () => {},
  });
  return { pipeline, writer };
}

/** Plays half an hour through the pipeline as it comes, in a log of its own; `resolveAt` is when a person resolves the incident. */
async function playLive(live: Live, clockMode: 'wall' | 'events', resolveSecond = Infinity): Promise<void> {
  const clock = new ManualClock(START_MS);
  const prng = createPrng(3);
  const { pipeline, writer } = await openPipeline(live, clock, clockMode);
  for (let at = 0; at < SECONDS + 60; at++) {
    clock.advance(1000);
    if (at < SECONDS) {
      const { bytes, count } = second(at, prng);
      const timestampMs = START_MS + at * 1000;
      const span = { minTimestampMs: timestampMs, maxTimestampMs: timestampMs + 980 };
      await live.log.append({ bytes, count, ...span, receivedAtMs: clock.nowMs(), clientId: '' });
      while (await pipeline.step());
    } else await pipeline.step();
    await pipeline.tick();
    if (at !== resolveSecond) continue;
    for (const incidentId of live.incidents.keys()) {
      await pipeline.command({ type: 'resolve', incidentId, by: 'ada', atMs: clock.nowMs() });
    }
  }
  await pipeline.commit(true);
  await writer[Symbol.asyncDispose]();
}

async function withLive(check: (live: Live) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'helios-simulation-'));
  const common = { clock: new ManualClock(START_MS), logger: silentLogger, metrics: silentMetrics };
  const idempotency = { windowMs: 1000, maxKeys: 10 };
  // Segments small enough for some to be sealed: the simulation has to read both kinds.
  const config = logConfigSchema.parse({ segment_size: '1MiB', sync: 'async' });
  const log = await openEmbeddedLog({ dir, config, ...common, idempotency });
  try {
    await check({ dir, log, anomalies: new Map(), incidents: new Map() });
  } finally {
    await log[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function simulate({ dir, log }: Live, changed: Partial<SimulationRun> = {}): Promise<SimulationResult> {
  await using events = openLogReader({ dir });
  await using points = openLogReader({ dir, name: 'metrics' });
  const run: SimulationRun = {
    present,
    overridden: present,
    clockMode: 'events',
    decisions: [],
    fromMs: -Infinity,
    toMs: END_MS,
    service: null,
    nowMs: END_MS,
    serviceDays: 0.05,
    ...changed,
  };
  const logs = {
    events: { reader: events, committedOffset: log.committedOffset() },
    points: { reader: points, committedOffset: 0 },
  };
  return runSimulation(run, logs, () => {});
}

const decision = ({ id, service, signal, severity, startedAt, detectedAt, resolvedAt, incidentId }: Omit<Anomaly, 'quiet'>) => [
  id,
  service,
  signal,
  severity,
  startedAt,
  detectedAt,
  resolvedAt,
  incidentId,
];
const incidentDecision = ({ id, title, services, startedAt, detectedAt, resolvedAt }: Incident) => [
  id,
  title,
  services,
  startedAt,
  detectedAt,
  resolvedAt,
];

function assertEqualToLive(live: Live, { present: side, difference }: SimulationResult): void {
  const byId = (a: unknown[], b: unknown[]): number => (String(a[0]) < String(b[0]) ? -1 : 1);
  assert.ok(live.anomalies.size > 0, 'something fired');
  assert.deepEqual(
    side.alerts.map((alert) => decision(alert as never)).toSorted(byId),
    [...live.anomalies.values()].map(decision).toSorted(byId),
  );
  assert.deepEqual(
    side.incidents.map((incident) => incidentDecision(incident as never)).toSorted(byId),
    [...live.incidents.values()].map(incidentDecision).toSorted(byId),
  );
  assert.equal(difference.onlyPresentCount + difference.onlyOverriddenCount + difference.sooner + difference.later, 0);
}

for (const clockMode of ['events', 'wall'] as const) {
  test(`a simulation without overrides says what was said live, clock ${clockMode}`, async () => {
    await withLive(async (live) => {
      await playLive(live, clockMode);
      const result = await simulate(live, { clockMode });
      assertEqualToLive(live, result);
      assert.equal(result.historyFrom, isoTime(START_MS));
      assert.equal(result.historyLost, false);
    });
  });
}

test('what people decided is replayed at its time', async () => {
  await withLive(async (live) => {
    const resolveSecond = FAULT_SECOND + 60;
    await playLive(live, 'wall', resolveSecond);
    const decisions = [...live.incidents.values()]
      .flatMap(({ id, events = [] }) => events.filter(({ by }) => by === 'ada').map(({ at }) => ({ id, atMs: Date.parse(at) })))
      .map(({ id, atMs }) => ({ atMs, command: { type: 'resolve' as const, incidentId: id, by: 'ada', atMs } }));
    assert.ok(decisions.length > 0, 'there was an incident to resolve');
    assertEqualToLive(live, await simulate(live, { clockMode: 'wall', decisions }));
  });
});

test('overrides change what fires, and the difference names it', async () => {
  await withLive(async (live) => {
    await playLive(live, 'events');
    const overridden = { ...present, max_entities: 1 };
    const { difference, overridden: side, present: base } = await simulate(live, { overridden });
    assert.ok(base.alerts.some(({ service }) => service === 'shop'));
    assert.ok(side.alerts.every(({ service }) => service === 'other' || service === 'shop'));
    assert.ok(difference.onlyPresentCount > 0);
    assert.equal(difference.onlyPresent.length, difference.onlyPresentCount);
    const apart = await simulate(live, { overridden: { ...present, incident_gap: 10_000 } });
    assert.deepEqual([apart.present.incidentCount, apart.overridden.incidentCount], [1, 2], 'two minutes apart');
    assert.equal(apart.difference.both, apart.present.alertCount);
    const patient = await simulate(live, { overridden: { ...present, allowed_lateness: 120_000 } });
    assert.deepEqual(
      patient.overridden.alerts.map(({ id, detectedAt }) => [id, detectedAt]),
      patient.present.alerts.map(({ id, detectedAt }) => [id, detectedAt]),
      'event time alone says when something is detected',
    );
  });
});

test('range and service narrow what is told, not what is learned', async () => {
  await withLive(async (live) => {
    await playLive(live, 'events');
    const whole = await simulate(live);
    const shop = await simulate(live, { service: 'shop', fromMs: START_MS + FAULT_SECOND * 1000 });
    assert.deepEqual(
      shop.present.alerts,
      whole.present.alerts.filter(({ service }) => service === 'shop'),
    );
    const before = await simulate(live, { toMs: START_MS + FAULT_SECOND * 1000 });
    assert.equal(before.present.alertCount, 0);
    const after = await simulate(live, { fromMs: END_MS, toMs: END_MS + 1 });
    assert.equal(after.present.alertCount + after.present.incidentCount, 0);
  });
});
