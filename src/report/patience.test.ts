import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../lib/clock.ts';
import { createPatience } from './patience.ts';

test('an answer in time is passed on', async () => {
  const patience = createPatience(new ManualClock());
  assert.equal(await patience(Promise.resolve(3)), 3);
});

test('a late or failed answer is left out', async () => {
  const clock = new ManualClock();
  const patience = createPatience(clock);
  const late = patience(new Promise<number>(() => {}));
  clock.advance(250);
  assert.equal(await late, undefined);
  assert.equal(await patience(Promise.reject(new Error('gone'))), undefined);
});
