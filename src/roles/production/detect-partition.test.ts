import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { configSchema } from '../../config/config.ts';
import type { DetectorCommand } from '../../detect/detector.ts';
import { encodePartial } from '../../detect/partial-record.ts';
import { isoTime, ManualClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { createPrng } from '../../lib/prng.ts';
import type { LogRecord } from '../../log/event-log.ts';
import { EntitySpread } from '../../log/kafka/entity-spread.ts';
import { letterRecord } from '../../log/kafka/letter-record.ts';
import { decodeRecord } from '../../log/kafka/record-codec.ts';
import { KAFKA_CONSUMER_METRICS } from '../../log/metrics.ts';
import type { DeadLetter, PartitionReader } from '../../log/partition-log.ts';
import type { AlertMessage } from '../../model/alert.ts';
import type { Anomaly } from '../../model/anomaly.ts';
import { createNames } from '../../model/event-batch.ts';
import { createJsonScanner } from '../../model/json-scanner.ts';
import { storeConfigSchema } from '../../store/config.ts';
import { openStoreWriter } from '../../store/embedded/store-writer.ts';
import { RequestFilter } from '../../store/timescale/stored-requests.ts';
import type { PartitionWriter } from '../../store/timescale/partition-writer.ts';
import { PIPELINE_EVENTS } from '../metrics.ts';
import { detectPartition } from './detect-partition.ts';
import type { Engines } from './engines.ts';

const START_MS = Date.parse('2026-01-05T10:00:00Z');
const STEP_MS = 10_000;
/** Of records, one for 10 s. */
const [FAULT, CRASH, END] = [144, 168, 192];

/** Ten seconds of two services; one of them fails from the fault on. */
function recordAt(offset: number, prng: ReturnType<typeof createPrng>): LogRecord {
  const startMs = START_MS + offset * STEP_MS;
  const lines = Array.from({ length: 400 }, (_, i) => {
    const service = i % 2 === 0 ? 'shop' : 'bank';
    const fails = prng.next() < (service === 'shop' && offset >= FAULT ? 0.2 + 0.01 * (offset - FAULT) : 0.01);
    const event = { timestamp: isoTime(startMs + i * 20), service, level: fails ? 'ERROR' : 'INFO', message: 'order' };
    return `${JSON.stringify({ ...event, metadata: { latency_ms: 20 + prng.below(10) } })}\n`;
  });
  return {
    position: { partition: 0, offset },
    bytes: Buffer.from(lines.join('')),
    count: lines.length,
    minTimestampMs: startMs,
    maxTimestampMs: startMs + 7980,
    receivedAtMs: startMs + STEP_MS,
    clientId: '',
  };
}

function recordsTo(end: number): LogRecord[] {
  const prng = createPrng(3);
  return Array.from({ length: end }, (_, offset) => recordAt(offset, prng));
}

/** Record by record; nothing has been fetched when it is asked first. */
function readerOf(records: readonly LogRecord[], onEnd: () => void): PartitionReader {
  let at = 0;
  let isFetched = false;
  return {
    read() {
      if (!isFetched) return Promise.resolve(null);
      const record = records[at];
      if (record) at++;
      return Promise.resolve(record ? [record] : null);
    },
    seek: (offset) => (at = offset),
    wait() {
      if (isFetched && at === records.length) onEnd();
      isFetched = true;
      return Promise.resolve();
    },
    firstOffset: () => 0,
    endOffset: () => records.length,
    isCurrent: () => isFetched && at === records.length,
    logId: () => 'log',
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

interface RunOptions {
  records: readonly LogRecord[];
  commands?: readonly DetectorCommand[];
  metrics?: Metrics;
  /** Never, where the process is to die without one. */
  withCheckpoint?: boolean;
  put?: (letter: DeadLetter) => Promise<void>;
  announce?: (alerts: readonly AlertMessage[]) => Promise<void>;
}

/** Detects to the end of the records over what earlier runs have left in the directory; returns the anomalies that it told of. */
async function run(dir: string, options: RunOptions): Promise<Anomaly[]> {
  const { records, commands = [], metrics = silentMetrics, withCheckpoint = true, put = () => Promise.resolve() } = options;
  const { announce = () => Promise.resolve() } = options;
  const requests = new RequestFilter({ group: 'detectors', topic: 'events', partition: 0 }, metrics);
  const clock = new ManualClock();
  const config = configSchema.parse({ clock: 'events' });
  await using plain = await openStoreWriter({
    dir,
    config: storeConfigSchema.parse({}),
    clock,
    logger: silentLogger,
    metrics: silentMetrics,
  });
  const writer: PartitionWriter = {
    rowCount: 0,
    isFull: () => false,
    filterParts: (record) => requests.filter(record),
    offset: () => plain.offset(),
    checkpoint: () => plain.checkpoint(),
    observe: (batch, offset) => plain.observe(batch, offset),
    commit: (update, nextOffset) => plain.commit(withCheckpoint ? update : { ...update, checkpoint: null }, nextOffset),
    retain: (beforeMs) => plain.retain(beforeMs),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const stopping = new AbortController();
  const told: AlertMessage[] = [];
  const engines = { config, clock, logger: silentLogger, prng: createPrng(1), metrics, deadLetters: { put } };
  await detectPartition(
    {
      topic: 'events',
      partition: 0,
      signal: stopping.signal,
      reader: readerOf(records, () => stopping.abort()),
      committed() {},
    },
    {
      engines: engines as unknown as Engines,
      writer,
      scanner: createJsonScanner(createNames()),
      metrics,
      points: null,
      async announce(alerts) {
        await announce(alerts);
        told.push(...alerts);
      },
      tell: () => Promise.resolve(),
      map: new EntitySpread(2, []),
      listen(onCommand) {
        for (const command of commands) onCommand(command);
        return () => {};
      },
    },
  );
  return told.flatMap((alert) => (alert.type === 'anomaly' ? [structuredClone(alert.anomaly)] : []));
}

async function withDirectory(check: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'helios-detect-'));
  try {
    await check(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test('a decision about an anomaly that a replay has yet to find waits for it', async () => {
  const records = recordsTo(END);
  const firing: number[] = [];
  for (const isMuted of [false, true]) {
    await withDirectory(async (dir) => {
      const [anomaly] = await run(dir, { records: records.slice(0, CRASH), withCheckpoint: false });
      assert.ok(anomaly, 'it is found before the crash');
      const commands: DetectorCommand[] = isMuted ? [{ type: 'mute', anomalyIds: [anomaly.id] }] : [];
      const after = await run(dir, { records, commands });
      firing.push(after.filter(({ id, state }) => id === anomaly.id && state === 'firing').length);
    });
  }
  assert.ok((firing[0] as number) > 0, 'without a decision more is told of it');
  assert.equal(firing[1], 0);
});

test('partial sums that cannot be read are a dead letter before the offset moves past them, and once', async () => {
  const head = { source: 1, receivedAtMs: START_MS, part: 0, toMs: START_MS, client: '', windows: [] };
  const [readable] = encodePartial({ ...head, offset: 7 });
  assert.ok(readable);
  const values = [readable, Buffer.from('{"source":'), Buffer.from(readable.toString().replace(':7,', ':"7",'))];
  const records = values.map((partial, offset): LogRecord => {
    const times = { minTimestampMs: START_MS, maxTimestampMs: START_MS, receivedAtMs: START_MS };
    return { position: { partition: 0, offset }, bytes: Buffer.alloc(0), count: 0, ...times, clientId: '', partial };
  });
  await withDirectory(async (dir) => {
    const letters: DeadLetter[] = [];
    const counted: unknown[] = [];
    const metrics: Metrics = {
      ...silentMetrics,
      add: ({ name }, value, labels) => name.startsWith('helios_kafka') && counted.push([name, value, labels]),
    };
    const refused = new HeliosError('log_unavailable', 'cannot write: the brokers are away, a test says so');
    await assert.rejects(run(dir, { records, metrics, withCheckpoint: false, put: () => Promise.reject(refused) }), refused);
    const put = (letter: DeadLetter): Promise<void> => Promise.resolve(void letters.push(letter));
    for (let time = 0; time < 2; time++) await run(dir, { records, metrics, withCheckpoint: false, put });
    assert.deepEqual(
      letters.map(({ offset, value }) => [offset, value]),
      [1, 2].map((offset) => [offset, values[offset]]),
    );
    const one = [KAFKA_CONSUMER_METRICS.unreadable.name, 1, { topic: 'events' }];
    assert.deepEqual(counted, [one, one]);
    // Once it can be read, a retry puts it back as what it was.
    for (const letter of letters) {
      const { value, headers } = letterRecord({ ...letter, id: 'a' }, configSchema.parse({}).kafka, START_MS);
      const decoded = decodeRecord({ partition: 0, offset: 9n, value: Buffer.from(value), headers: Object.entries(headers) });
      assert.ok('partial' in decoded);
      assert.deepEqual(decoded.partial, value);
    }
  });
});

test('a request that comes again counts once', async () => {
  const [record] = recordsTo(1);
  assert.ok(record);
  const parts = [{ keyHash: 'ab'.repeat(16), chunk: 0, events: record.count, bytes: record.bytes.length }];
  const records = [0, 1].map((offset): LogRecord => ({ ...record, position: { partition: 0, offset }, parts }));
  let events = 0;
  const add: Metrics['add'] = ({ name }, value) => (events += name === PIPELINE_EVENTS.name ? value : 0);
  await withDirectory(async (dir) => {
    await run(dir, { records, metrics: { ...silentMetrics, add } });
    assert.equal(events, record.count);
  });
});

test('the offset does not move past alerts that the log did not take, and they are told again', async () => {
  const records = recordsTo(CRASH);
  const refused = new HeliosError('log_unavailable', 'cannot write: the brokers are away, a test says so');
  const announce = (alerts: readonly AlertMessage[]): Promise<void> =>
    alerts.some(({ type }) => type === 'anomaly') ? Promise.reject(refused) : Promise.resolve();
  await withDirectory(async (dir) => {
    await assert.rejects(run(dir, { records, announce }), refused);
    assert.ok((await run(dir, { records })).length > 0);
  });
});
