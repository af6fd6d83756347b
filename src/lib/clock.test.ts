import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from './clock.ts';

const DAY_MS = 86_400_000;

test('timers longer than Node.js can hold fire when they are due, and those without end never', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const fired: string[] = [];
  systemClock.after(60 * DAY_MS, () => fired.push('sixty days'));
  systemClock.after(5, () => fired.push('soon'));
  systemClock.after(Infinity, () => fired.push('never'));
  const stop = systemClock.after(50 * DAY_MS, () => fired.push('stopped'));
  const stopEvery = systemClock.every(100 * DAY_MS, () => fired.push('every'));
  for (let day = 0; day < 24; day++) context.mock.timers.tick(DAY_MS);
  assert.deepEqual(fired, ['soon']);
  for (let day = 24; day < 40; day++) context.mock.timers.tick(DAY_MS);
  stop();
  stopEvery();
  for (let day = 40; day < 59; day++) context.mock.timers.tick(DAY_MS);
  assert.deepEqual(fired, ['soon', 'every']);
  // Restarted at the end of a tick of the mock, which is a day each.
  for (let day = 59; day < 63; day++) context.mock.timers.tick(DAY_MS);
  assert.deepEqual(fired, ['soon', 'every', 'sixty days']);
});

test('a sleep ends with the reason of its signal', async () => {
  const abort = new AbortController();
  const sleeping = systemClock.sleep(Infinity, abort.signal);
  abort.abort(new Error('woken'));
  await assert.rejects(sleeping, /woken/);
  await assert.rejects(systemClock.sleep(1, abort.signal), /woken/);
});
