import assert from 'node:assert/strict';
import test from 'node:test';
import { FEATURES } from '../../model/rollup.ts';
import { clockTime, duration, featureRange, featureValue, milliseconds, number, percent, times } from './wording.ts';

test('numbers keep three digits and small integers all', () => {
  assert.deepEqual([12, 12_345, 1_234_567, 0.012345, 45.678].map(number), ['12', '12,345', '1,230,000', '0.0123', '45.7']);
});

test('shares are per cent, with a second decimal below one', () => {
  assert.deepEqual([0, 0.00456, 0.12345, 1].map(percent), ['0 %', '0.46 %', '12.3 %', '100 %']);
});

test('latencies of a second and more are in seconds', () => {
  assert.deepEqual([0.5, 183, 5020].map(milliseconds), ['0.5 ms', '183 ms', '5.02 s']);
});

test('a range says its unit once where both ends have the same', () => {
  assert.equal(featureRange('event_count', 5.67, 34.3), '5.67 to 34.3 events');
  assert.equal(featureRange('avg_latency', 183, 5020), '183 ms to 5.02 s');
  assert.equal(featureRange('error_rate', 0, 0.053), '0 to 5.3 %');
});

test('lengths of time are in their two largest units', () => {
  const lengths = [0, 400, 40_000, 390_000, 7_500_000, 273_600_000, 86_400_000, -5000];
  assert.deepEqual(lengths.map(duration), ['0 s', '0 s', '40 s', '6 min 30 s', '2 h 5 min', '3 d 4 h', '24 h', '5 s']);
});

test('a ratio has one decimal below ten', () => {
  assert.equal(times(2.5), '2.5 times');
  assert.equal(times(250.4), '250 times');
});

test('a time carries its date only on another day', () => {
  const ms = Date.UTC(2025, 9, 8, 10, 30, 40);
  assert.equal(clockTime(ms, '2025-10-08'), '10:30:40');
  assert.equal(clockTime(ms, '2025-10-09'), '2025-10-08 10:30:40');
});

test('every feature has a value in words with its unit', () => {
  const values = FEATURES.map((feature) => featureValue(feature, 1));
  assert.deepEqual(values, ['1 event', '100 %', '1 ms', '1 ms', '1 ms', '1 ms', '1', '1 events/s']);
});
