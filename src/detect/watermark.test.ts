import assert from 'node:assert/strict';
import test from 'node:test';
import { createAheadBuffer, hasJumped, holdAhead, jumpTarget, releaseUntil } from './ahead-buffer.ts';
import { createClientSkew, observeLag } from './client-skew.ts';
import { createWatermark, observeClient, watermarkOf, watermarkOnTick } from './watermark.ts';

const times = (count: number, at: number): Float64Array => Float64Array.from({ length: count }, (_, i) => at + i);

function skewAfter(lags: readonly number[]): ReturnType<typeof createClientSkew> {
  const state = createClientSkew();
  lags.forEach((lag, i) => observeLag(state, times(10, 1e9 + i * 1000 - lag), 10, 1e9 + i * 1000));
  return state;
}

test('a clock that is steadily ahead is corrected', () => {
  const { shiftMs } = skewAfter(Array.from({ length: 20 }, () => -180_000));
  assert.equal(shiftMs, -180_000);
});

test('a short or unsteady lag is transport, not skew', () => {
  assert.equal(skewAfter(Array.from({ length: 20 }, () => 3000)).shiftMs, 0);
  assert.equal(skewAfter(Array.from({ length: 20 }, (_, i) => 20_000 * (i % 5))).shiftMs, 0);
  assert.equal(skewAfter(Array.from({ length: 20 }, () => 86_400_000)).shiftMs, 0);
  assert.equal(skewAfter(Array.from({ length: 3 }, () => -180_000)).shiftMs, 0);
});

test('the watermark waits for clients that deliver in batches, at most ten seconds', () => {
  const state = createWatermark();
  for (let i = 0; i < 20; i++) observeClient(state, 'slow', times(10, 1e9 + i * 1000 - 4000), 10, 1e9 + i * 1000);
  state.newestMs = 1e9;
  assert.ok(Math.abs(1e9 - watermarkOf(state) - 4000) < 100);
  for (let i = 0; i < 20; i++) observeClient(state, 'slower', times(10, 1e9 - 9e4 * (i % 3)), 10, 1e9 + 2e4);
  assert.ok(1e9 - watermarkOf(state) <= 10_000);
});

test('a tick moves the watermark of a live stream only', () => {
  const state = createWatermark();
  assert.equal(watermarkOnTick(state, 5e9), -Infinity);
  state.newestMs = 1e9;
  state.lastReceivedMs = 1e9 + 50;
  assert.equal(watermarkOnTick(state, 1e9 + 60_000), 1e9 + 59_000);
  state.lastReceivedMs = 2e9;
  assert.equal(watermarkOnTick(state, 2e9 + 60_000), 1e9);
});

test('many clients stay bounded', () => {
  const state = createWatermark();
  for (let i = 0; i < 3000; i++) observeClient(state, `client ${i}`, times(1, 1e9), 1, 1e9);
  assert.ok(state.clients.size <= 1000);
});

const held = (time: number, entity: string) => ({ time, entity, endpoint: 0, level: 2, latency: NaN, isLog: false, weight: 1 });

test('events ahead count as a jump only when several services agree, or nothing else comes', () => {
  const oneHost = createAheadBuffer();
  for (let i = 0; i < 50; i++) holdAhead(oneHost, held(1e9 + i, 'a'));
  assert.equal(hasJumped(oneHost, 5), false);
  holdAhead(oneHost, held(1e9, 'b'));
  assert.equal(hasJumped(oneHost, 5), true);
  const alone = createAheadBuffer();
  for (let i = 0; i < 50; i++) holdAhead(alone, held(1e9 + i, 'a'));
  assert.equal(hasJumped(alone, 1), true);
  assert.equal(hasJumped({ ...oneHost, entity: [], run: 1, calls: 3 }, 5), true);
});

test('a jump ends where the next one begins, and later events stay held', () => {
  const state = createAheadBuffer();
  for (const time of [1000, 500, 900_000, 50_000]) holdAhead(state, held(time, 'a'));
  assert.equal(jumpTarget(state), 50_000);
  assert.deepEqual(
    releaseUntil(state, 50_000).map((event) => event.time),
    [500, 1000, 50_000],
  );
  assert.deepEqual(state.time, [900_000]);
});

test('the buffer of held events is bounded', () => {
  const state = createAheadBuffer();
  let dropped = 0;
  for (let i = 0; i < 25_000; i++) if (!holdAhead(state, held(i, 'a'))) dropped++;
  assert.equal(dropped, 5000);
});
