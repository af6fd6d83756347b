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

/** A handler before a log that fails while it is told to. */
function openHandler(clock: ManualClock) {
  const disk = { isFull: true, appends: 0 };
  const append = (): Promise<unknown> => {
    disk.appends++;
    return disk.isFull ? Promise.reject(FULL) : Promise.resolve({ partition: 0, offset: 0 });
  };
  const handler = createIngestHandler({
    log: { append } as unknown as EventLog,
    scanner: createJsonScanner(createNames()),
    clock,
    metrics: silentMetrics,
    futureToleranceMs: Infinity,
    retentionMs: Infinity,
  });
  const post = () =>
    handler.acceptEvents({
      door: 'test',
      body: Buffer.from(BODY),
      sender: { client: '', principal: { id: '', services: null } },
    });
  return { disk, handler, post };
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
