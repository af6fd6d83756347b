import assert from 'node:assert/strict';
import test from 'node:test';
import { createNames } from '../model/event-batch.ts';
import { createJsonScanner } from '../model/json-scanner.ts';
import { FEATURES } from '../model/rollup.ts';
import { NO_LIMITS } from '../model/scanner.ts';
import { isoTime } from '../lib/clock.ts';
import { LabelledWindows } from './labelled-windows.ts';

const START_MS = Date.UTC(2025, 9, 8);
const WINDOW_MS = 60_000;
const scanner = createJsonScanner(createNames());

/** Events of shop at seconds of the first minutes: level, latency and endpoint by turns. */
function batchAt(seconds: readonly number[], service = 'shop') {
  const lines = seconds.map((second, i) =>
    JSON.stringify({
      timestamp: isoTime(START_MS + second * 1000),
      service,
      level: i % 4 === 0 ? 'ERROR' : 'INFO',
      message: 'x',
      metadata: { latency_ms: 100 + 10 * i, endpoint: `/${i % 2}` },
    }),
  );
  return scanner.scan(Buffer.from(`${lines.join('\n')}\n`), NO_LIMITS).batch;
}

test('windows have the features of their events, late ones in their own window, and those that are still open none', () => {
  const windows = new LabelledWindows(WINDOW_MS);
  windows.add(batchAt([1, 2, 61, 62]));
  windows.add(batchAt([3]));
  windows.add(batchAt([130]));
  windows.close(START_MS + 2 * WINDOW_MS);
  const [history] = windows.histories([]);
  assert.equal(history?.rows.length, 2);
  const [first, second] = history.rows.map((row) => Object.fromEntries(FEATURES.map((feature, i) => [feature, row[i]])));
  assert.equal(first?.['event_count'], 3);
  assert.ok(Math.abs((first?.['error_rate'] ?? 0) - 2 / 3) < 1e-12);
  assert.ok(Math.abs((first?.['avg_latency'] ?? 0) - 310 / 3) < 1e-9);
  assert.equal(first?.['unique_endpoints'], 2);
  assert.ok(Math.abs((second?.['event_velocity'] ?? 0) - -1 / 60) < 1e-12);
  assert.ok(Math.abs((second?.['p95_latency'] ?? 0) / 130 - 1) < 0.016);
});

test('a window is abnormal when half of it lies in a span of its service', () => {
  const windows = new LabelledWindows(WINDOW_MS);
  windows.add(batchAt([1, 61, 121]));
  windows.add(batchAt([1, 61, 121], 'bank'));
  windows.close(START_MS + 10 * WINDOW_MS);
  const labels = [{ fromMs: START_MS + 31_000, toMs: START_MS + 151_000, services: ['shop'] }];
  const [shop, bank] = windows.histories(labels);
  assert.deepEqual(shop?.truth, [false, true, true]);
  assert.deepEqual(bank?.truth, [false, false, false]);
});
