import assert from 'node:assert/strict';
import test from 'node:test';
import { SHOP, TraceFleet, type FaultOf } from './trace-fleet.fixture.ts';
import { TraceWatch } from './trace-watch.ts';
import { decodeState, encodeState } from './state-codec.ts';
import { START_MS, STEP_MS } from './traffic.fixture.ts';

const MINUTE_MS = 60_000;
const at = (minute: number): number => START_MS + minute * MINUTE_MS;
const slowFrom =
  (minute: number): FaultOf =>
  (service, timeMs) =>
    service === 'stock' && timeMs >= at(minute) ? { extraWorkMs: 100 } : {};

interface Stretch {
  fromMinute: number;
  toMinute: number;
  fault?: FaultOf;
  /** Since when an incident is open. */
  troubledSinceMs?: number;
}

function play(watch: TraceWatch, { fromMinute, toMinute, fault = () => ({}), troubledSinceMs = Infinity }: Stretch): void {
  const fleet = new TraceFleet(SHOP, fault, fromMinute * 1000);
  for (let ms = at(fromMinute); ms < at(toMinute); ms += STEP_MS) {
    watch.observe(fleet.fill('front', ms));
    watch.advance(ms + STEP_MS, troubledSinceMs);
  }
}

const suspects = (watch: TraceWatch, fromMinute: number, toMinute: number): string[] =>
  watch
    .rank(at(fromMinute), at(toMinute))
    .filter(({ score }) => score > 0.5)
    .map(({ service }) => service);

test('what came before an incident is normal at once, however new it is', () => {
  const watch = new TraceWatch();
  play(watch, { fromMinute: 0, toMinute: 3 });
  play(watch, { fromMinute: 3, toMinute: 4, fault: slowFrom(3), troubledSinceMs: at(3) });
  assert.deepEqual(suspects(watch, 3, 4), ['stock']);
});

test('nothing is learned while an incident is open, and nothing of it afterwards', () => {
  const watch = new TraceWatch();
  play(watch, { fromMinute: 0, toMinute: 10 });
  play(watch, { fromMinute: 10, toMinute: 40, fault: slowFrom(10), troubledSinceMs: at(10) });
  play(watch, { fromMinute: 40, toMinute: 50 });
  play(watch, { fromMinute: 50, toMinute: 51, fault: slowFrom(50), troubledSinceMs: at(50) });
  assert.deepEqual(suspects(watch, 50, 51), ['stock']);
});

test('a change that lasts for hours without an incident becomes normal', () => {
  const watch = new TraceWatch();
  play(watch, { fromMinute: 0, toMinute: 20 });
  play(watch, { fromMinute: 20, toMinute: 60, fault: slowFrom(20) });
  assert.deepEqual(suspects(watch, 59, 60), ['stock']);
  play(watch, { fromMinute: 60, toMinute: 120, fault: slowFrom(20) });
  assert.deepEqual(suspects(watch, 119, 120), []);
});

test('a state that was written and read goes on as if nothing had been', () => {
  const watch = new TraceWatch();
  play(watch, { fromMinute: 0, toMinute: 8 });
  const copy = new TraceWatch();
  copy.state = decodeState(encodeState(watch.state)) as TraceWatch['state'];
  for (const one of [watch, copy]) {
    play(one, { fromMinute: 8, toMinute: 9, fault: slowFrom(8), troubledSinceMs: at(8) });
  }
  assert.deepEqual(copy.rank(at(8), at(9)), watch.rank(at(8), at(9)));
  assert.deepEqual(encodeState(copy.state), encodeState(watch.state));
});

test('of many traces a sample is looked at, and counts as whole traces do', () => {
  const watch = new TraceWatch();
  const fleet = new TraceFleet(SHOP, slowFrom(3));
  for (let ms = at(0); ms < at(4); ms += STEP_MS) {
    for (let i = 0; i < 30; i++) watch.observe(fleet.fill('front', ms));
    watch.advance(ms + STEP_MS, ms >= at(3) ? at(3) : Infinity);
  }
  const { sampler, steps } = watch.state.statistics;
  assert.ok(sampler.level >= 1, `level ${sampler.level}`);
  assert.ok(steps.every(({ calls }) => calls.values().reduce((sum, count) => sum + count, 0) <= 6000));
  assert.deepEqual(suspects(watch, 3, 4), ['stock']);
});
