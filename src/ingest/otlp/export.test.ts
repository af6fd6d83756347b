import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { openDoor } from '../door.fixture.ts';
import { createOtlpDoors } from './door.ts';
import { createOtlpExport } from './export.ts';

test('records that do not fit and records that break a rule are counted together, and the others are in', async () => {
  await using door = await openDoor({
    createDoors: (handler) => Object.fromEntries(createOtlpDoors(createOtlpExport({ handler, clock: systemClock }))),
  });
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const resource = { attributes: [attribute('service.name', 'shop'), attribute('notes', 'x'.repeat(60_000))] };
  const [old, fresh] = [{ timeUnixNano: '1000000000' }, {}];
  const logRecords = [old, ...Array.from({ length: 1199 }, () => fresh)];
  const body = JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
  const answer = await door.postBytes('/v1/logs', body, { 'content-type': 'application/json' });
  const { partialSuccess } = JSON.parse(answer.body.toString()) as {
    partialSuccess: { rejectedLogRecords: string; errorMessage: string };
  };
  const rejected = Number(partialSuccess.rejectedLogRecords);
  assert.equal(door.log.committedOffset(), 1);
  assert.ok(rejected > 1 && rejected < 1200);
  assert.match(
    partialSuccess.errorMessage,
    /of 1200 log records rejected: log record 0: timestamp is older than the retention; /,
  );
  assert.match(
    partialSuccess.errorMessage,
    /; log record 1\d\d\d the request makes more than 64 MiB of events; send smaller ones; /,
  );
});
