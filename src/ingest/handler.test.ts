import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { silentMetrics } from '../lib/metrics.ts';
import type { EventLog } from '../log/event-log.ts';
import { createNames } from '../model/event-batch.ts';
import { createJsonScanner } from '../model/json-scanner.ts';
import { createIngestHandler } from './handler.ts';

const BODY = JSON.stringify({ timestamp: '2025-10-08T10:30:45Z', service: 'shop', level: 'INFO', message: '' });
const FULL = new HeliosError('disk_full', 'cannot append: the disk is full', { details: { retryAfterSeconds: 10 } });

const SENDER = { client: '', principal: { id: '', services: null } };
const LINES = {
  bytes: Buffer.from('{}\n'),
  lines: 1,
  points: 3,
  minTimestampMs: 1,
  maxTimestampMs: 2,
  rejectedCount: 1,
  rejections: [{ index: 3, field: 'timestamp', reason: 'is too old' }],
};

const optionsOf = (log: EventLog, clock: ManualClock) => ({
  log,
  scanner: createJsonScanner(createNames()),
  clock,
  metrics: silentMetrics,
  futureToleranceMs: Infinity,
  retentionMs: Infinity,
});

/** A handler before two logs that fail while they are told to. */
function openHandler(clock: ManualClock, maxEvents = Infinity) {
  const disk = { isFull: true, appends: 0 };
  const append = (): Promise<unknown> => {
    disk.appends++;
    return disk.isFull ? Promise.reject(FULL) : Promise.resolve({ partition: 0, offset: 0 });
  };
  const log = { append } as unknown as EventLog;
  const handler = createIngestHandler({ ...optionsOf(log, clock), metricsLog: log, maxEventsOf: () => maxEvents });
  const post = (body = BODY) => handler.acceptEvents({ door: 'test', body: Buffer.from(body), sender: SENDER });
  const postPoints = () => handler.acceptMetrics({ door: 'test', sender: SENDER, lines: LINES });
  return { disk, handler, post, postPoints };
}

test('the circuit opens with the failure that opened it, and closes again once the disk has room', async () => {
  const clock = new ManualClock();
  const { disk, handler, post } = openHandler(clock);
  for (let i = 0; i < 5; i++) await assert.rejects(post(), { code: 'disk_full' });
  assert.throws(() => handler.checkOpen(), { code: 'disk_full' });
  await assert.rejects(post(), { code: 'disk_full' });
  assert.equal(disk.appends, 5, 'an open circuit keeps requests from the log');
  clock.advance(1000);
  handler.checkOpen();
  await assert.rejects(post(), { code: 'disk_full' });
  assert.throws(() => handler.checkOpen(), { code: 'disk_full' });
  disk.isFull = false;
  clock.advance(1000);
  handler.checkOpen();
  assert.equal((await post()).accepted, 1);
  handler.checkOpen();
  assert.equal((await post()).accepted, 1);
});

test('a failed log is told of until it works again, or until a retry might', async () => {
  const clock = new ManualClock();
  const { disk, handler, post } = openHandler(clock);
  assert.equal(handler.failure(), null);
  await assert.rejects(post());
  assert.equal(handler.failure(), FULL);
  clock.advance(10_000);
  assert.equal(handler.failure(), null);
  await assert.rejects(post());
  disk.isFull = false;
  await post();
  assert.equal(handler.failure(), null);
});

test('points go to the metrics log, whose failure opens a circuit of its own', async () => {
  const clock = new ManualClock();
  const { disk, handler, post, postPoints } = openHandler(clock);
  for (let i = 0; i < 5; i++) await assert.rejects(postPoints(), { code: 'disk_full' });
  await assert.rejects(postPoints(), { code: 'disk_full' });
  assert.equal(disk.appends, 5);
  assert.equal(handler.failure(), FULL);
  handler.checkOpen();
  disk.isFull = false;
  assert.equal((await post()).accepted, 1, 'events are taken all the while');
  clock.advance(1000);
  const { accepted, rejectedCount, rejections, replayed } = await postPoints();
  assert.deepEqual([accepted, rejectedCount, rejections[0]?.field, replayed], [3, 1, 'timestamp', false]);
  assert.equal(handler.failure(), null);
});

test('a request with more records than its door takes is refused whole', async () => {
  const { disk, post, postPoints } = openHandler(new ManualClock(), 2);
  disk.isFull = false;
  assert.equal((await post(`${BODY}\n${BODY}`)).accepted, 2);
  await assert.rejects(post(`${BODY}\n${BODY}\nnonsense`), { code: 'too_large', details: { limitEvents: 2 } });
  await assert.rejects(postPoints(), { code: 'too_large' });
  assert.equal(disk.appends, 1);
});

test('a process without a metrics log says so', async () => {
  const handler = createIngestHandler({ ...optionsOf({} as EventLog, new ManualClock()) });
  await assert.rejects(handler.acceptMetrics({ door: 'test', sender: SENDER, lines: LINES }), { code: 'unavailable' });
});
