import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { openDoor } from '../door.fixture.ts';
import { createOtlpDoors } from './door.ts';
import { createOtlpExport } from './export.ts';

const MIB = 1024 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };

const open = (config: Record<string, unknown>) =>
  openDoor({
    config,
    createDoors: (handler) => Object.fromEntries(createOtlpDoors(createOtlpExport({ handler, clock: systemClock }))),
  });

/** A request whose records each repeat 32 KiB of its resource. */
function growingLogs(records: number): string {
  const resource = { attributes: [{ key: 'notes', value: { stringValue: 'x'.repeat(32 * 1024) } }] };
  const logRecords = Array.from({ length: records }, () => ({}));
  return JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
}

function growingMetrics(points: number): string {
  const resource = {
    attributes: ['a', 'b', 'c'].map((key) => ({ key, value: { stringValue: key.repeat(4000) } })),
  };
  const dataPoints = Array.from({ length: points }, (_, i) => ({
    timeUnixNano: `${Date.now()}000000`,
    asInt: i,
    attributes: [{ key: 'i', value: { intValue: i } }],
  }));
  const metrics = [{ name: 'm', gauge: { dataPoints } }];
  return JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] });
}

for (const [signal, growing] of [
  ['logs', growingLogs],
  ['metrics', growingMetrics],
] as const) {
  test(`${signal} that grow past the memory bound are refused as overloaded, and smaller ones are taken`, async () => {
    await using door = await open({ max_pending: 12 * MIB });
    const refused = await door.postBytes(`/v1/${signal}`, growing(1000), JSON_TYPE);
    assert.equal(refused.status, 503);
    assert.match(refused.body.toString(), /memory bound/);
    assert.equal(door.pending.bytes, 0);
    assert.equal(door.log.committedOffset() + door.metricsLog.committedOffset(), 0);
    const taken = await door.postBytes(`/v1/${signal}`, growing(100), JSON_TYPE);
    assert.equal(taken.status, 200);
    assert.equal(taken.body.toString(), '{}');
    assert.equal(door.pending.bytes, 0);
  });
}

test('what a request was transcoded to is held on its account until it is durable', async () => {
  const commit = Promise.withResolvers<void>();
  const appending = Promise.withResolvers<void>();
  await using door = await openDoor({
    wrapLog: (log) => ({
      ...log,
      append: async (record) => {
        appending.resolve();
        await commit.promise;
        return log.append(record);
      },
      findRequest: (hash) => log.findRequest(hash),
    }),
    createDoors: (handler) => Object.fromEntries(createOtlpDoors(createOtlpExport({ handler, clock: systemClock }))),
  });
  const body = growingLogs(40);
  const answer = door.postBytes('/v1/logs', body, JSON_TYPE);
  await appending.promise;
  assert.ok(door.pending.bytes > body.length + 40 * 32 * 1024, String(door.pending.bytes));
  commit.resolve();
  assert.equal((await answer).status, 200);
  assert.equal(door.pending.bytes, 0);
});
