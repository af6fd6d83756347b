import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../lib/clock.ts';
import { createDeadline } from './deadline.ts';

test('a query that ends in time answers, and stops its timer', async () => {
  const stopped: string[] = [];
  const clock = new ManualClock();
  const after = (delayMs: number) => () => void stopped.push(String(delayMs));
  const withDeadline = createDeadline(Object.assign(clock, { after }), 100);
  assert.equal(await withDeadline(Promise.resolve(7)), 7);
  await assert.rejects(withDeadline(Promise.reject(new Error('no'))), { message: 'no' });
  assert.deepEqual(stopped, ['100', '100']);
});

test('a query that takes longer rejects, and its late failure harms nobody', async () => {
  const clock = new ManualClock();
  const { promise, reject } = Promise.withResolvers<number>();
  const answer = createDeadline(clock, 100)(promise);
  clock.advance(100);
  await assert.rejects(answer, { code: 'unavailable', message: /longer than 100 ms/ });
  reject(new Error('late'));
  await new Promise(setImmediate);
});

test('without a limit the query is on its own', async () => {
  const clock = new ManualClock();
  const query = Promise.resolve(1);
  assert.equal(createDeadline(clock, Infinity)(query), query);
  assert.equal(await query, 1);
});
