import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import { LEVEL_CRITICAL, LEVEL_ERROR, LEVEL_INFO } from '../model/event.ts';
import { closeSubWindow, createEntityState, openEntity, subWindowOf } from './entity-state.ts';
import { addEvent } from './sub-window.ts';
import { featureIndex, windowFeatures } from './window-features.ts';

interface Row {
  step: number;
  level: number;
  latency: number;
  endpoint: number;
}

const FIRST = 1000;

function randomRows(seed: number, steps: number): Row[] {
  const prng = createPrng(seed);
  const level = () => [LEVEL_INFO, LEVEL_INFO, LEVEL_ERROR, LEVEL_CRITICAL][prng.below(4)] as number;
  return Array.from({ length: 600 }, () => ({
    step: FIRST + prng.below(steps),
    level: level(),
    latency: prng.next() < 0.1 ? NaN : 20 * prng.exponential(),
    endpoint: prng.below(9),
  }));
}

function ringOf(rows: readonly Row[], steps: number) {
  const entity = openEntity(createEntityState('a', 64));
  for (const { step, level, latency, endpoint } of rows) addEvent(subWindowOf(entity, step, []), level, latency, endpoint, 1);
  for (let step = FIRST; step < FIRST + steps; step++) closeSubWindow(entity, step, true, []);
  return entity.state.ring;
}

test('features of a window equal those computed from its events one by one', () => {
  const rows = randomRows(1, 12);
  const values = windowFeatures(ringOf(rows, 12), FIRST + 11, 6);
  const inside = rows.filter((row) => row.step >= FIRST + 6);
  const before = rows.filter((row) => row.step < FIRST + 6);
  const latencies = inside
    .map((row) => row.latency)
    .filter((value) => !Number.isNaN(value))
    .sort((a, b) => a - b);
  const mean = latencies.reduce((sum, value) => sum + value, 0) / latencies.length;
  const variance = latencies.reduce((sum, value) => sum + (value - mean) ** 2, 0) / latencies.length;
  const rank = (q: number) => latencies[Math.ceil(q * latencies.length) - 1] as number;
  const of = (feature: Parameters<typeof featureIndex>[0]) => values[featureIndex(feature)] as number;
  assert.equal(of('event_count'), inside.length);
  assert.equal(of('error_rate'), inside.filter((row) => row.level >= LEVEL_ERROR).length / inside.length);
  assert.ok(Math.abs(of('avg_latency') - mean) < 1e-9);
  assert.ok(Math.abs(of('latency_stddev') - Math.sqrt(variance)) < 1e-6);
  assert.ok(Math.abs(of('p95_latency') / rank(0.95) - 1) < 0.017);
  assert.ok(Math.abs(of('p99_latency') / rank(0.99) - 1) < 0.017);
  assert.equal(of('unique_endpoints'), new Set(inside.map((row) => row.endpoint).filter((id) => id !== 0)).size);
  assert.equal(of('event_velocity'), (inside.length - before.length) / 60);
});

test('an empty window has a count of 0 and no rate or latency', () => {
  const values = windowFeatures(ringOf([], 6), FIRST + 5, 6);
  assert.equal(values[featureIndex('event_count')], 0);
  for (const feature of ['error_rate', 'avg_latency', 'p95_latency', 'latency_stddev'] as const) {
    assert.ok(Number.isNaN(values[featureIndex(feature)]), feature);
  }
});
