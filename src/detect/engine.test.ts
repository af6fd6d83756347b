import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import { isFeature } from '../model/rollup.ts';
import type { Change } from '../model/incident.ts';
import { createDetector } from './engine.ts';
import { encodeState } from './state-codec.ts';
import {
  addRow,
  collect,
  createVerdicts,
  DAY_MS,
  during,
  fillStep,
  HOUR_MS,
  newBatch,
  play,
  seasonal,
  START_MS,
  steady,
  STEP_MS,
  testConfig,
  type Condition,
  type SyntheticService,
  type Verdicts,
} from './traffic.fixture.ts';

const detector = (overrides: Record<string, unknown> = {}) =>
  createDetector({ config: testConfig(overrides), clock: 'events', seed: 1 });
const FAULT_MS = START_MS + (2 * HOUR_MS) / 3;
const FAULT_END_MS = FAULT_MS + 6 * 60_000;
const END_MS = FAULT_END_MS + 5 * 60_000;
const fleet = (): SyntheticService[] => ['a', 'b', 'c'].map((name) => steady(name));

function withFault(change: (usual: Condition) => Partial<Condition>): SyntheticService[] {
  const [a, ...rest] = fleet();
  return [during(a as SyntheticService, FAULT_MS, FAULT_END_MS, change), ...rest];
}

function playFault(change: (usual: Condition) => Partial<Condition>): Verdicts {
  return play({ detector: detector(), services: withFault(change), fromMs: START_MS, toMs: END_MS });
}

const secondsAfter = (iso: string | null | undefined, ms: number): number => (Date.parse(iso as string) - ms) / 1000;

const FAULTS = [
  {
    name: 'five times the errors',
    change: () => ({ errorRate: 0.05 }),
    signal: 'error_rate',
    feature: 'error_rate',
    within: 100,
  },
  {
    name: 'thirty times the errors',
    change: () => ({ errorRate: 0.3 }),
    signal: 'error_rate',
    feature: 'error_rate',
    within: 10,
  },
  { name: 'twice the latency', change: () => ({ latencyMs: 100 }), signal: 'latency', feature: 'avg_latency', within: 20 },
  { name: 'a third of the traffic', change: () => ({ rate: 7 }), signal: 'traffic', feature: 'event_count', within: 60 },
  { name: 'four times the traffic', change: () => ({ rate: 80 }), signal: 'traffic', feature: 'event_count', within: 30 },
  { name: 'silence', change: () => ({ rate: 0 }), signal: 'silence', feature: 'event_count', within: 30 },
] as const;

for (const { name, change, signal, feature, within } of FAULTS) {
  test(`${name} fires once within ${within} s, is attributed and resolves`, () => {
    const { emitted, incidents } = playFault(change);
    const fired = emitted.filter((anomaly) => anomaly.state === 'firing' && anomaly.severity !== undefined);
    assert.deepEqual([...new Set(emitted.map((anomaly) => `${anomaly.service} ${anomaly.signal}`))], [`a ${signal}`]);
    assert.equal(new Set(fired.map((anomaly) => anomaly.id)).size, 1);
    const [first] = fired;
    assert.ok(secondsAfter(first?.detectedAt, FAULT_MS) <= within, first?.detectedAt);
    assert.ok(Math.abs(secondsAfter(first?.startedAt, FAULT_MS)) <= 30, first?.startedAt);
    assert.equal(first?.attribution[0]?.feature, feature);
    const last = emitted.at(-1);
    assert.equal(last?.state, 'resolved');
    assert.ok(Math.abs(secondsAfter(last?.resolvedAt, FAULT_END_MS)) <= 60, last?.resolvedAt ?? '');
    assert.ok(emitted.length <= 4, `${emitted.length} documents`);
    const [incident] = incidents.values();
    assert.equal(incidents.size, 1);
    assert.equal(incident?.status, 'resolved');
    assert.equal(incident?.causes[0]?.service, 'a');
  });
}

test('what an anomaly says it observed is what the events of its window give', () => {
  const services = withFault(() => ({ errorRate: 0.1, latencyMs: 90 }));
  const { anomalies } = play({ detector: detector(), services, fromMs: START_MS, toMs: END_MS });
  assert.ok(anomalies.size >= 2);
  for (const { window, attribution } of anomalies.values()) {
    const [fromMs, toMs] = [Date.parse(window.from), Date.parse(window.to)];
    assert.equal(fromMs % (toMs - fromMs), 0);
    const batch = newBatch();
    let count = 0;
    let errors = 0;
    let latency = 0;
    for (let at = fromMs; at < toMs; at += STEP_MS) {
      fillStep(batch, services, at, createPrng(1_000_003 + at / STEP_MS));
      for (let i = 0; i < batch.count; i++) {
        if (batch.names.entities.name(batch.entity[i] as number) !== 'a') continue;
        count++;
        if ((batch.level[i] as number) >= 4) errors++;
        latency += batch.latency[i] as number;
      }
    }
    const expected: Record<string, number> = {
      event_count: count,
      error_rate: errors / count,
      avg_latency: latency / count,
    };
    for (const { feature, observed, low, high, direction, share } of attribution) {
      const value = expected[feature];
      if (value !== undefined) assert.ok(Math.abs(observed - value) < 1e-9 * value, feature);
      assert.ok(direction === 'up' ? observed > high : observed < low, feature);
      assert.ok(share > 0 && isFeature(feature));
    }
    assert.ok(attribution.reduce((sum, entry) => sum + entry.share, 0) <= 1 + 1e-9);
  }
});

test('half a day of quiet seasonal traffic gives no anomaly and ends with trained forests', () => {
  const quiet = detector();
  const services = [seasonal('a', { rate: 2 }), seasonal('b', { rate: 0.3 })];
  const fromMs = START_MS + DAY_MS / 4;
  const { emitted } = play({ detector: quiet, services, fromMs, toMs: fromMs + 0.4 * DAY_MS });
  assert.deepEqual(emitted, []);
  assert.deepEqual(
    quiet.status().activeModels.map((model) => model.service),
    ['a', 'b'],
  );
  assert.equal(quiet.status().lateEvents, 0);
});

test('three errors out of five requests at night do not page', () => {
  const night = during(steady('a', { rate: 0.01, errorRate: 0 }), FAULT_MS, FAULT_END_MS, () => ({ errorRate: 1 }));
  const { emitted } = play({ detector: detector(), services: [night, steady('b')], fromMs: START_MS, toMs: END_MS });
  assert.deepEqual(emitted, []);
});

test('a ratio on 0.008 requests a second never pages, whatever it is', () => {
  const rare = { rate: 0.008, errorRate: 0, latencyMs: 50 };
  const broken = during(steady('a', rare), FAULT_MS, FAULT_MS + 5 * HOUR_MS, () => ({ errorRate: 1, latencyMs: 5000 }));
  const services = [broken, steady('b', { rate: 1 })];
  const { emitted } = play({ detector: detector(), services, fromMs: START_MS, toMs: FAULT_MS + 5 * HOUR_MS });
  assert.deepEqual(emitted, []);
});

test('minutes without any event from anyone are a hole in the data, not a fault', () => {
  const whole = detector();
  const verdicts = createVerdicts();
  for (let minute = 0; minute < 120; minute++) {
    if (minute % 10 >= 7 && minute > 30) continue;
    const fromMs = START_MS + minute * 60_000 + 4000;
    play({ detector: whole, services: fleet(), fromMs, toMs: fromMs + 60_000, verdicts });
  }
  assert.deepEqual(verdicts.emitted, []);
});

test('verdicts do not depend on the names of services or on the week', () => {
  const run = (names: string[], shiftMs: number) => {
    const services = withFault(() => ({ errorRate: 0.2 })).map((service, i) => ({
      name: names[i] as string,
      at: (timeMs: number) => service.at(timeMs - shiftMs),
    }));
    const verdicts = createVerdicts();
    const one = detector();
    const batch = newBatch();
    for (let at = START_MS; at < END_MS; at += STEP_MS) {
      fillStep(batch, services, at + shiftMs, createPrng(at / STEP_MS));
      one.observe(batch, at, '');
      collect(one, verdicts);
    }
    return verdicts.emitted.map((anomaly) => ({
      ...anomaly,
      id: '',
      incidentId: '',
      service: names.indexOf(anomaly.service),
      startedAt: secondsAfter(anomaly.startedAt, START_MS + shiftMs),
      detectedAt: secondsAfter(anomaly.detectedAt, START_MS + shiftMs),
      resolvedAt: anomaly.resolvedAt && secondsAfter(anomaly.resolvedAt, START_MS + shiftMs),
      window: '',
      baseline: '',
    }));
  };
  const usual = run(['a', 'b', 'c'], 0);
  assert.ok(usual.length >= 2);
  assert.deepEqual(run(['x/y/zeta', 'payments', '0'], 0), usual);
  assert.deepEqual(run(['a', 'b', 'c'], 21 * DAY_MS), usual);
});

test('a detector restored from a snapshot goes on as if nothing had happened', () => {
  const services = withFault(() => ({ errorRate: 0.2, latencyMs: 80 }));
  const whole = play({ detector: detector(), services, fromMs: START_MS, toMs: END_MS });
  for (const cutMs of [FAULT_MS - 7 * STEP_MS, FAULT_MS + STEP_MS, FAULT_MS + 4 * 60_000, FAULT_END_MS + 60_000]) {
    const before = detector();
    const verdicts = play({ detector: before, services, fromMs: START_MS, toMs: cutMs });
    const after = detector();
    after.restore(before.snapshot());
    assert.deepEqual(after.snapshot(), before.snapshot());
    play({ detector: after, services, fromMs: cutMs, toMs: END_MS, verdicts });
    assert.deepEqual(verdicts.emitted, whole.emitted);
    assert.deepEqual([...verdicts.incidents.values()], [...whole.incidents.values()]);
  }
});

test('with another window or other features a snapshot keeps incidents, ends their anomalies and learns anew', () => {
  const one = detector();
  const services = withFault(() => ({ errorRate: 0.3 }));
  const verdicts = play({ detector: one, services, fromMs: START_MS, toMs: FAULT_MS + 120_000 });
  const other = detector({ window_size: '10m' });
  other.restore(one.snapshot());
  assert.equal(other.status().entities, 0);
  assert.equal(other.status().watermarkMs, one.status().watermarkMs);
  collect(other, verdicts);
  assert.deepEqual(
    [...verdicts.incidents.values()].map((incident) => incident.status),
    ['resolved'],
  );
  assert.deepEqual(
    [...verdicts.anomalies.values()].map((anomaly) => anomaly.state),
    ['resolved'],
  );
});

test('bytes that are no snapshot are refused', () => {
  assert.throws(() => detector().restore(Uint8Array.of(1, 2, 3, 4, 5)), { code: 'corrupt_data' });
  for (const version of [0, 3, 4]) {
    assert.throws(() => detector().restore(encodeState({ version })), { code: 'corrupt_data' }, 'another version is rebuilt');
  }
});

test('events in any order within the allowed lateness give the same verdicts; later ones are counted, not windowed', () => {
  const services = withFault(() => ({ errorRate: 0.2 }));
  const shuffled = detector({ allowed_lateness: '15s' });
  const verdicts = createVerdicts();
  const prng = createPrng(5);
  for (let at = START_MS; at < END_MS; at += STEP_MS) {
    const batch = newBatch();
    fillStep(batch, services, at, createPrng(1_000_003 + at / STEP_MS));
    const order = Array.from({ length: batch.count }, () => prng.next());
    const rows = order.map((_, i) => i).sort((a, b) => (order[a] as number) - (order[b] as number));
    const mixed = newBatch();
    for (const i of rows) {
      const name = batch.names.entities.name(batch.entity[i] as number);
      addRow(mixed, name, batch.timestamp[i] as number, (batch.level[i] as number) >= 4, batch.latency[i] as number);
    }
    shuffled.observe(mixed, at, '');
    collect(shuffled, verdicts);
  }
  assert.equal(shuffled.status().lateEvents, 0);
  assert.equal(verdicts.incidents.size, 1);
  const late = newBatch();
  addRow(late, 'a', START_MS, true, 5);
  shuffled.observe(late, END_MS, '');
  assert.equal(shuffled.status().lateEvents, 1);
});

test('a host whose clock is hours ahead makes nobody late when time advances with the data', () => {
  const one = detector();
  const verdicts = createVerdicts();
  const wild = newBatch();
  for (let at = START_MS; at < START_MS + 600_000; at += STEP_MS) {
    play({ detector: one, services: fleet(), fromMs: at, toMs: at + STEP_MS, verdicts });
    wild.count = 0;
    for (let i = 0; i < 20; i++) addRow(wild, 'skewed', at + 5 * HOUR_MS + i, false, 5);
    one.observe(wild, at, 'host');
    collect(one, verdicts);
  }
  assert.equal(one.status().lateEvents, 0);
  assert.ok(one.status().watermarkMs <= START_MS + 600_000);
});

test('a replay may jump over hours', () => {
  const one = detector();
  play({ detector: one, services: fleet(), fromMs: START_MS, toMs: START_MS + 600_000 });
  play({ detector: one, services: fleet(), fromMs: START_MS + DAY_MS / 2, toMs: START_MS + DAY_MS / 2 + 600_000 });
  assert.equal(one.status().watermarkMs, START_MS + DAY_MS / 2 + 590_000);
  assert.equal(one.status().lateEvents, 0);
});

test('on the wall clock a tick sees a service fall silent, and a fast clock is corrected', () => {
  const live = createDetector({ config: testConfig(), clock: 'wall', seed: 1 });
  const verdicts = createVerdicts();
  const [a, b, c] = fleet() as [SyntheticService, SyntheticService, SyntheticService];
  const stops = during(a, FAULT_MS, END_MS, () => ({ rate: 0 }));
  const batch = newBatch();
  for (let at = START_MS; at < FAULT_MS + 60_000; at += STEP_MS) {
    fillStep(batch, [stops, b], at, createPrng(at / STEP_MS));
    live.observe(batch, at + STEP_MS, 'good');
    fillStep(batch, [c], at, createPrng(at / STEP_MS));
    for (let i = 0; i < batch.count; i++) batch.timestamp[i] = (batch.timestamp[i] as number) + 400_000;
    live.observe(batch, at + STEP_MS, 'fast');
    collect(live, verdicts, at + STEP_MS);
  }
  assert.deepEqual(
    [...verdicts.anomalies.values()].map((anomaly) => `${anomaly.service} ${anomaly.signal}`),
    ['a silence'],
  );
});

test('a person resolves an incident: it stays closed while the fault goes on, and its anomaly ends in silence', () => {
  const one = detector();
  const services = withFault(() => ({ errorRate: 0.3 }));
  const verdicts = play({ detector: one, services, fromMs: START_MS, toMs: FAULT_MS + 120_000 });
  const [incident] = verdicts.incidents.values();
  const incidentId = incident?.id as string;
  assert.equal(one.command({ type: 'acknowledge', incidentId, by: 'kim', atMs: FAULT_MS + 120_000 })?.status, 'acknowledged');
  assert.equal(one.command({ type: 'resolve', incidentId, by: 'kim', atMs: FAULT_MS + 130_000 })?.status, 'resolved');
  assert.equal(one.command({ type: 'resolve', incidentId: 'in-none', by: 'kim', atMs: FAULT_MS }), undefined);
  assert.equal(one.status().openIncidents, 0);
  play({ detector: one, services, fromMs: FAULT_MS + 120_000, toMs: END_MS, verdicts });
  assert.equal(verdicts.incidents.size, 1);
  assert.equal(verdicts.incidents.get(incidentId)?.status, 'resolved');
  assert.equal(verdicts.incidents.get(incidentId)?.acknowledgedBy, 'kim');
  assert.equal(one.status().openAnomalies, 0);
});

test('a posted change shortly before the fault becomes evidence of its cause', () => {
  const one = detector();
  const services = withFault(() => ({ errorRate: 0.3 }));
  const verdicts = play({ detector: one, services, fromMs: START_MS, toMs: FAULT_MS });
  const change: Change = {
    id: 'ch-1',
    at: new Date(FAULT_MS - 60_000).toISOString(),
    service: 'a',
    type: 'configuration',
    version: null,
    previousVersion: null,
    description: 'pool size',
    source: 'api',
  };
  assert.equal(one.command({ type: 'change', change }), undefined);
  play({ detector: one, services, fromMs: FAULT_MS, toMs: END_MS, verdicts });
  const [incident] = verdicts.incidents.values();
  assert.match(incident?.causes[0]?.reason ?? '', /60 s after a configuration/);
  assert.ok(incident?.causes[0]?.evidence.includes('ch-1'));
});

test('services beyond the cap are counted together as other, and idle ones are forgotten', () => {
  const one = detector({ max_entities: 3, entity_idle: '10m' });
  const many = ['a', 'b', 'c', 'd', 'e'].map((name) => steady(name, { rate: 0.5 }));
  play({ detector: one, services: many, fromMs: START_MS, toMs: START_MS + 300_000 });
  assert.equal(one.status().entities, 4);
  play({ detector: one, services: [steady('a')], fromMs: START_MS + 300_000, toMs: START_MS + 1_200_000 });
  assert.equal(one.status().entities, 1);
});

test('a forest threshold given as a number makes the forest fire on its own', () => {
  const one = detector({ threshold: -0.3 });
  const fromMs = START_MS + DAY_MS / 4;
  const { emitted } = play({
    detector: one,
    services: [steady('a', { rate: 2 }), steady('b', { rate: 0.1 })],
    fromMs,
    toMs: fromMs + 5 * HOUR_MS,
  });
  assert.deepEqual([...new Set(emitted.map((anomaly) => anomaly.signal))], ['multivariate']);
  assert.ok((emitted[0]?.rawScore ?? 0) < -0.3);
  assert.equal(emitted[0]?.stage, 'trained');
});

test('a model can be activated from outside, for a service that is known', () => {
  const one = detector();
  const fromMs = START_MS + DAY_MS / 4;
  const models = [];
  const batch = newBatch();
  for (let at = fromMs; at < fromMs + 5 * HOUR_MS; at += STEP_MS) {
    fillStep(batch, [steady('a', { rate: 1 })], at, createPrng(at));
    one.observe(batch, at, '');
    models.push(...one.advance(null).models);
  }
  const [model] = models;
  assert.ok(model);
  assert.equal(model.record.service, 'a');
  const other = detector();
  play({ detector: other, services: [steady('a')], fromMs, toMs: fromMs + 60_000 });
  assert.equal(other.command({ type: 'activate', model }), undefined);
  other.command({ type: 'activate', model: { ...model, record: { ...model.record, service: 'nobody' } } });
  assert.deepEqual(other.status().activeModels, [model.record]);
});
