import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import type { AlertMessage, FiledAlert } from '../model/alert.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { StoredModel } from '../model/model-record.ts';
import type { Detector } from './detector.ts';
import { createDetector } from './engine.ts';
import {
  DAY_MS,
  during,
  fillStep,
  HOUR_MS,
  newBatch,
  START_MS,
  steady,
  STEP_MS,
  testConfig,
  type SyntheticService,
} from './traffic.fixture.ts';

const FAULT_MS = START_MS + (2 * HOUR_MS) / 3;
const FAULT_END_MS = FAULT_MS + 6 * 60_000;
const END_MS = FAULT_END_MS + 5 * 60_000;
const LATENESS_MS = testConfig().allowed_lateness;

const open = (clock: 'events' | 'wall' = 'events'): Detector =>
  createDetector({ config: testConfig(), clock, seed: 1, partition: 3 });
const faulty = (): SyntheticService[] => [
  during(steady('a'), FAULT_MS, FAULT_END_MS, () => ({ errorRate: 0.3 })),
  steady('b'),
  steady('c'),
];

interface PlayOptions {
  detector?: Detector;
  services?: SyntheticService[];
  fromMs?: number;
  toMs?: number;
  /** Called before each step. */
  each?: (detector: Detector, stepMs: number) => Detector;
}

function play({
  detector = open(),
  services = faulty(),
  fromMs = START_MS,
  toMs = END_MS,
  each,
}: PlayOptions = {}): AlertMessage[] {
  const alerts: AlertMessage[] = [];
  const batch = newBatch();
  for (let at = fromMs; at < toMs; at += STEP_MS) {
    if (each) {
      detector = each(detector, at);
      alerts.push(...detector.advance(null).alerts);
    }
    fillStep(batch, services, at, createPrng(1_000_003 + at / STEP_MS));
    if (batch.count > 0) detector.observe(batch, at, '');
    const { alerts: told, ...output } = detector.advance(null);
    assert.deepEqual([output.anomalies, output.incidents, output.changes], [[], [], []]);
    alerts.push(...told);
  }
  return alerts;
}

const filed = (alerts: readonly AlertMessage[]): FiledAlert[] => alerts.filter((alert) => alert.type !== 'watermark');
const anomaliesOf = (alerts: readonly AlertMessage[]): Anomaly[] =>
  alerts.flatMap((alert) => (alert.type === 'anomaly' ? [alert.anomaly] : []));

test('a partition tells what one detector of all would find, and leaves the incident to others', () => {
  const whole = createDetector({ config: testConfig(), clock: 'events', seed: 1 });
  const found: Anomaly[] = [];
  const batch = newBatch();
  for (let at = START_MS; at < END_MS; at += STEP_MS) {
    fillStep(batch, faulty(), at, createPrng(1_000_003 + at / STEP_MS));
    whole.observe(batch, at, '');
    found.push(...whole.advance(null).anomalies);
  }
  const told = anomaliesOf(play());
  assert.ok(found.length >= 2);
  assert.deepEqual(
    told,
    found.map((anomaly) => ({ ...anomaly, incidentId: null })),
  );
});

test('nothing is told with a time that a watermark before has passed', () => {
  let untilMs = -Infinity;
  let said = 0;
  for (const alert of play()) {
    if (alert.type === 'watermark') {
      assert.ok(alert.watermarkMs > untilMs);
      untilMs = alert.watermarkMs;
      said++;
    } else assert.ok(alert.atMs > untilMs);
  }
  assert.ok(said > 100);
  assert.ok(untilMs >= END_MS - LATENESS_MS - 2 * STEP_MS);
});

test('a restart tells the same', () => {
  const whole = filed(play());
  for (const cutMs of [FAULT_MS + 4 * STEP_MS, FAULT_END_MS + 60_000]) {
    const each = (before: Detector, stepMs: number): Detector => {
      if (stepMs !== cutMs) return before;
      const after = open();
      after.restore(before.snapshot());
      return after;
    };
    assert.deepEqual(filed(play({ each })), whole);
  }
});

/** What is found in the end, and all that is known then, by its hash. */
function endOf(options: PlayOptions): { alerts: FiledAlert[]; state: string } {
  const detector = open();
  const alerts = filed(play({ ...options, detector }));
  return { alerts, state: createHash('sha256').update(detector.snapshot()).digest('hex') };
}

test('how often it hears of the time of others changes nothing that it finds or knows', () => {
  const whole = endOf({});
  for (const seed of [1, 2, 3]) {
    const prng = createPrng(seed);
    const each = (detector: Detector, stepMs: number): Detector => {
      if (prng.next() < 0.3) detector.advanceTo(stepMs + LATENESS_MS * prng.next());
      return detector;
    };
    assert.deepEqual(endOf({ each }), whole, `seed ${seed}`);
  }
});

/** Everything is silent for a while, with the time of others going on by these beats. */
function endOfHole(beatMs: number): ReturnType<typeof endOf> {
  const from = FAULT_MS - 20 * 60_000;
  const to = FAULT_MS - 5 * 60_000;
  const services = faulty().map((service) => during(service, from, to, () => ({ rate: 0 })));
  const each = (detector: Detector, stepMs: number): Detector => {
    if (stepMs % beatMs === 0) detector.advanceTo(stepMs);
    return detector;
  };
  return endOf({ services, each });
}

test('a hole in the stream is the same hole however often time is heard of within it', () => {
  const seldom = endOfHole(DAY_MS);
  assert.ok(anomaliesOf(seldom.alerts).some(({ service, signal }) => service === 'a' && signal === 'error_rate'));
  for (const beatMs of [STEP_MS, 60_000, 7 * 60_000]) assert.deepEqual(endOfHole(beatMs), seldom);
});

test('a partition without any event says how far it is, and is ready for the first', () => {
  const empty = open();
  empty.advanceTo(START_MS);
  const [alert] = empty.advance(null).alerts;
  assert.deepEqual(alert, {
    type: 'watermark',
    partition: 3,
    of: 'events',
    watermarkMs: Math.floor((START_MS - LATENESS_MS) / STEP_MS) * STEP_MS,
  });
  assert.deepEqual(filed(play({ detector: empty })), filed(play()));
  const [live] = open('wall').advance(START_MS).alerts;
  assert.ok(live?.type === 'watermark' && live.watermarkMs < START_MS && live.watermarkMs > START_MS - 60_000);
});

test('an anomaly whose incident was resolved ends in silence, however often that is said', () => {
  const usual = anomaliesOf(play());
  const id = usual[0]?.id as string;
  const each = (detector: Detector, stepMs: number): Detector => {
    if (stepMs >= FAULT_MS + 30_000) detector.command({ type: 'mute', anomalyIds: [id, 'an-unknown'] });
    return detector;
  };
  const muted = anomaliesOf(play({ each }));
  assert.equal(muted.at(-1)?.state, 'resolved');
  assert.ok(muted.length <= usual.length);
});

test('a new normal is adopted once, when it is accepted by the ids of its anomalies', () => {
  const slow = during(steady('a', { rate: 5 }), FAULT_MS, FAULT_MS + DAY_MS, () => ({ latencyMs: 100 }));
  const services = [slow, steady('b', { rate: 5 })];
  const toMs = FAULT_MS + 4 * HOUR_MS;
  let proposedMs = Infinity;
  let ids: string[] = [];
  const decide = (decision: 'accept' | 'reject') => (): AlertMessage[] => {
    const detector = open();
    const alerts = play({ detector, services, toMs: FAULT_MS + 1.2 * HOUR_MS });
    const proposed = anomaliesOf(alerts).filter(({ newNormal }) => newNormal?.state === 'proposed');
    assert.ok(proposed.length > 0);
    ids = proposed.map(({ id }) => id);
    proposedMs = FAULT_MS + 1.2 * HOUR_MS;
    const each = (one: Detector): Detector => {
      one.command({ type: 'decide', anomalyIds: ids, decision });
      return one;
    };
    return play({ detector, services, fromMs: proposedMs, toMs, each });
  };
  const accepted = anomaliesOf(decide('accept')()).filter(({ newNormal }) => newNormal?.state === 'accepted');
  assert.deepEqual(
    accepted.map(({ id, state }) => [id, state]),
    ids.map((id) => [id, 'resolved']),
  );
  const rejected = anomaliesOf(decide('reject')()).filter(({ newNormal }) => newNormal?.state === 'rejected');
  assert.equal(rejected[0]?.state, 'firing');
  assert.equal(rejected.filter(({ state }) => state === 'firing').length, ids.length);
});

test('a posted change is known to the detector, and told no second time', () => {
  const change = {
    id: 'ch-1',
    at: new Date(FAULT_MS - 60_000).toISOString(),
    service: 'a',
    type: 'configuration' as const,
    version: null,
    previousVersion: null,
    description: 'pool size',
    source: 'api' as const,
  };
  const each = (detector: Detector): Detector => {
    detector.command({ type: 'change', change });
    return detector;
  };
  assert.deepEqual(
    filed(play({ each })).filter(({ type }) => type === 'change'),
    [],
  );
});

test('an activation that is heard again at a start does not undo a later training', () => {
  const models: StoredModel[] = [];
  const services = [steady('a', { rate: 1 })];
  const batch = newBatch();
  const detector = open();
  for (let at = START_MS; at < START_MS + 5 * HOUR_MS; at += STEP_MS) {
    fillStep(batch, services, at, createPrng(at));
    detector.observe(batch, at, '');
    models.push(...detector.advance(null).models);
  }
  const [model] = models;
  assert.ok(model);
  const old: StoredModel = { ...model, record: { ...model.record, version: 'v0' } };
  const activate = (one: Detector, key: string): string | undefined => {
    one.command({ type: 'activate', model: old, key });
    return one.status().activeModels[0]?.version;
  };
  assert.equal(activate(detector, 'v0 1'), 'v0');
  detector.command({ type: 'activate', model });
  const after = open();
  after.restore(detector.snapshot());
  assert.equal(activate(after, 'v0 1'), model.record.version);
  assert.equal(activate(after, 'v0 2'), 'v0');
});
