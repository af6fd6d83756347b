import assert from 'node:assert/strict';
import test from 'node:test';
import type { FaultName } from './fault-kinds.ts';
import { FAULT_NAMES } from './fault-kinds.ts';
import { createGenerator } from './generator.ts';

const START_MS = Date.parse('2025-10-08T10:00:00Z');
const FAULT_MS = START_MS + 600_000;

interface Window {
  count: number;
  errorRate: number;
  meanLatencyMs: number;
  /** Mean over the services that call others: what their users feel. */
  entryErrorRate: number;
  endpointErrorRates: Map<string, number>;
  versions: Set<string>;
  warnShare: number;
  quantileMs: (q: number) => number;
  /** By service and endpoint. */
  otherErrorRates: Map<string, number>;
}

/** What one service looked like in a slice of the stream. */
function measure(bytes: Buffer, service: string): Window {
  const all = bytes.toString().trimEnd().split('\n');
  const events = all.filter((line) => line !== '').map((line) => JSON.parse(line));
  const isError = (event: { level: string }): boolean => event.level === 'ERROR' || event.level === 'CRITICAL';
  const errorShare = (list: { level: string }[]): number => list.filter(isError).length / Math.max(1, list.length);
  const own = events.filter((event) => event.service === service);
  const latencies = own.map((event) => event.metadata.latency_ms as number).toSorted((a, b) => a - b);
  const places = Map.groupBy(events, (event) => `${event.service} ${event.metadata.endpoint}`);
  const endpoints = new Set(own.map((event) => event.metadata.endpoint as string));
  return {
    count: own.length,
    errorRate: errorShare(own),
    meanLatencyMs: own.reduce((sum, event) => sum + event.metadata.latency_ms, 0) / Math.max(1, own.length),
    entryErrorRate: errorShare(events.filter((event) => event.service === 'edge-gateway')),
    endpointErrorRates: new Map(
      [...endpoints].map((path) => [path, errorShare(own.filter((event) => event.metadata.endpoint === path))]),
    ),
    versions: new Set(own.map((event) => event.metadata['service.version'] as string)),
    quantileMs: (q) => latencies[Math.floor(q * latencies.length)] as number,
    otherErrorRates: new Map([...places].map(([place, list]) => [place, errorShare(list)])),
    warnShare: own.filter((event) => event.level === 'WARN').length / Math.max(1, own.length),
  };
}

function faulty(kind: FaultName, service: string, effect: Record<string, number>) {
  const faults = [{ kind, startMs: FAULT_MS, durationMs: 600_000, service, effect }];
  const options = { seed: 2, startMs: START_MS, durationMs: 1_500_000, rate: 100, benignGapMs: Infinity, faults };
  const generator = createGenerator(options);
  const window = (fromMs: number): Window => measure(generator.slice(fromMs, fromMs + 90_000).bytes, service);
  return {
    label: generator.labels[0],
    before: window(START_MS + 300_000),
    during: window(FAULT_MS + 5000),
    late: () => window(FAULT_MS + 500_000),
    /** The last seconds, when everything from before has ended. */
    end: () => measure(generator.slice(FAULT_MS + 598_000, FAULT_MS + 600_000).bytes, service),
  };
}

function near(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);
}

test('a bad deployment raises the error rate by its effect, with a new version that is rolled back', () => {
  const { label, before, during } = faulty('bad_deployment', 'listing', { errorRate: 0.2, latencyFactor: 1 });
  near(during.errorRate - before.errorRate, 0.2, 0.03);
  assert.deepEqual([...before.versions], [label?.effect['previousVersion']]);
  assert.deepEqual([...during.versions], [label?.effect['version']]);
});

test('a latency increase multiplies the time of a leaf service and causes no errors', () => {
  const { before, during } = faulty('latency_increase', 'listing', { latencyFactor: 3 });
  near(during.meanLatencyMs / before.meanLatencyMs, 3, 0.45);
  near(during.errorRate, before.errorRate, 0.01);
});

test('an error burst reaches the users through the callers', () => {
  const { before, during } = faulty('error_burst', 'listing', { errorRate: 0.4 });
  near(during.errorRate - before.errorRate, 0.4, 0.03);
  assert.ok(during.entryErrorRate > 0.2);
});

test('a hanging dependency is slow itself while its callers fail', () => {
  const { before, during } = faulty('dependency_timeout', 'listing', { hangShare: 0.5 });
  near(during.errorRate, before.errorRate, 0.01);
  near(during.meanLatencyMs, 0.5 * 3750, 250);
  assert.ok(during.entryErrorRate > 0.2);
});

test('a traffic drop leaves the remaining share, at the door and inside', () => {
  for (const service of ['edge-gateway', 'listing']) {
    const { before, during } = faulty('traffic_drop', service, { remainingShare: 0.3 });
    near(during.count / before.count, 0.3, 0.06);
  }
});

test('a harmful surge raises traffic, latency and errors', () => {
  const { before, during } = faulty('traffic_surge', 'listing', { trafficFactor: 3, latencyFactor: 3, errorRate: 0.1 });
  near(during.count / before.count, 3, 0.4);
  assert.ok(during.meanLatencyMs > 2.5 * before.meanLatencyMs);
  near(during.errorRate - before.errorRate, 0.1, 0.03);
});

test('a silent service emits nothing and its callers are refused', () => {
  const { before, during } = faulty('silence', 'listing', {});
  assert.ok(before.count > 500);
  assert.equal(during.count, 0);
  assert.ok(during.entryErrorRate > 0.5);
});

test('a memory leak grows: little at first, errors late, a restart at the end', () => {
  const { before, during, late: later, end } = faulty('memory_leak', 'listing', { finalLatencyFactor: 8, errorRate: 0.2 });
  const late = later();
  assert.ok(during.meanLatencyMs < 2.5 * before.meanLatencyMs);
  assert.ok(late.meanLatencyMs > 4 * before.meanLatencyMs);
  near(during.errorRate, before.errorRate, 0.01);
  assert.ok(late.errorRate > 0.05);
  assert.equal(end().count, 0);
});

test('a slow burn is small after a minute and whole before its end', () => {
  const { before, during, late } = faulty('slow_burn', 'listing', { finalLatencyFactor: 5 });
  assert.ok(during.meanLatencyMs < 2 * before.meanLatencyMs);
  near(late().meanLatencyMs / before.meanLatencyMs, 5, 0.5);
});

test('a slow tail moves the p99 and leaves the p95', () => {
  const { before, during } = faulty('tail_latency', 'listing', { tailFactor: 20, tailShare: 0.03 });
  assert.ok(during.quantileMs(0.99) > 4 * before.quantileMs(0.99));
  near(during.quantileMs(0.94) / before.quantileMs(0.94), 1, 0.2);
});

test('a cascade reaches the callers after its lag, at endpoints that never call the service too', () => {
  const effect = { latencyFactor: 6, errorRate: 0.1, spreadRate: 0.4, lagSeconds: 120 };
  const { during, late } = faulty('cascade', 'billing', effect);
  const booking = (window: Window): number => window.otherErrorRates.get('booking /status') ?? NaN;
  assert.ok(booking(during) < 0.05, `before the lag ${booking(during)}`);
  assert.ok(booking(late()) > 0.08, `after it ${booking(late())}`);
});

test('a lost zone takes its share of the events until it is noticed, then the rest is slower', () => {
  const effect = { lostShare: 0.4, utilisation: 0.4, noticeSeconds: 95, companions: 0 };
  const { before, during, late } = faulty('zone_loss', 'listing', effect);
  near(during.count / before.count, 0.6, 0.08);
  near(during.meanLatencyMs / before.meanLatencyMs, 1, 0.25);
  near(late().meanLatencyMs / before.meanLatencyMs, 0.6 / (1 - 0.4 / 0.6), 0.2);
});

test('an endpoint outage concerns one endpoint only', () => {
  const { during } = faulty('endpoint_outage', 'listing', { errorRate: 0.9, latencyFactor: 1, endpointDraw: 0.4 });
  const rates = [...during.endpointErrorRates.values()].toSorted((a, b) => b - a);
  near(rates[0] as number, 0.9, 0.04);
  assert.ok((rates[1] as number) < 0.02);
});

test('a retry storm multiplies the calls to the failing service', () => {
  const { before, during } = faulty('retry_storm', 'listing', { errorRate: 0.5, latencyFactor: 2 });
  near(during.errorRate, 0.5, 0.03);
  near(during.count / before.count, 1.875, 0.3);
});

test('a bad configuration brings errors and warnings without a new version', () => {
  const { before, during } = faulty('bad_config', 'listing', { errorRate: 0.3 });
  near(during.errorRate - before.errorRate, 0.3, 0.03);
  near(during.warnShare, 0.7 * 0.2, 0.03);
  assert.deepEqual(during.versions, before.versions);
});

test('before and after a fault of any kind the stream is that of a run without it', () => {
  const common = { seed: 9, startMs: START_MS, durationMs: 900_000, rate: 8, benignGapMs: Infinity };
  const healthy = createGenerator({ ...common, faults: 0 });
  for (const kind of FAULT_NAMES) {
    const generator = createGenerator({ ...common, faults: [{ kind, startMs: START_MS + 300_000, durationMs: 120_000 }] });
    const same = (from: number, to: number): boolean =>
      generator.slice(START_MS + from, START_MS + to).bytes.equals(healthy.slice(START_MS + from, START_MS + to).bytes);
    assert.ok(same(200_000, 300_000), `${kind} before`);
    assert.ok(same(490_000, 560_000), `${kind} after`);
    assert.ok(!same(300_000, 430_000), `${kind} during`);
  }
});
