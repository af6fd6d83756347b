import assert from 'node:assert/strict';
import test from 'node:test';
import { anomalyOf, MINUTE, over, T0 } from '../detect/anomaly.fixture.ts';
import type { DetectorCommand } from '../detect/detector.ts';
import { createIncidentBook, type IncidentBook } from '../detect/incident-book.ts';
import { testConfig } from '../detect/traffic.fixture.ts';
import { ManualClock, systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { FiledDocuments, IncidentDecision } from '../model/alert.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { FeedbackAnswer, FeedbackRequest } from '../model/feedback.ts';
import type { Incident } from '../model/incident.ts';
import { MemoryStore } from '../report/store.fixture.ts';
import { createControl } from './control.ts';
import { openFeedback } from './feedback-service.ts';

const DAY = 24 * 60 * MINUTE;

function gauges(): { metrics: Metrics; values: Map<string, number> } {
  const values = new Map<string, number>();
  const set: Metrics['set'] = ({ name }, value, labels = {}) =>
    void values.set([name, ...Object.values(labels)].join(' '), value);
  const add: Metrics['add'] = ({ name }, value, labels = {}) => {
    const key = [name, ...Object.values(labels)].join(' ');
    values.set(key, (values.get(key) ?? 0) + value);
  };
  return { metrics: { set, add, observe() {} }, values };
}

/** A store, and the desk that all processes share, with feedback over both. */
class Desk {
  readonly store = new MemoryStore();
  readonly clock = new ManualClock(T0);
  readonly gauges = gauges();
  book: IncidentBook = createIncidentBook(testConfig());
  readonly commands: string[] = [];
  readonly feedback;

  constructor() {
    this.feedback = this.open();
  }

  open() {
    const {
      store,
      clock,
      gauges: { metrics },
    } = this;
    const command = (decision: DetectorCommand): Promise<Incident | undefined> => Promise.resolve(this.#command(decision));
    return openFeedback({
      store,
      command,
      control: createControl({ store, command, clock }),
      clock,
      wallClock: systemClock,
      gapMs: testConfig().incident_gap,
      previewWindowMs: 30 * DAY,
      metrics,
      logger: silentLogger,
    });
  }

  /** What a detector finds: firing and ten minutes later over. Returns the incident, or null when nobody is called. */
  find(service: string, startMs: number, overrides: Partial<Anomaly> = {}): Incident | null {
    const anomaly = anomalyOf(service, startMs, overrides);
    const endMs = startMs + 10 * MINUTE;
    this.#keep(this.book.apply([{ type: 'anomaly', partition: 0, atMs: startMs + 20_000, anomaly, evidence: [] }]));
    const end = { type: 'anomaly' as const, partition: 0, atMs: endMs, anomaly: over(anomaly, endMs), evidence: [] };
    this.#keep(this.book.apply([end]));
    this.clock.advance(Math.max(0, endMs - this.clock.nowMs()));
    const { incidentId } = this.store.documents.anomaly.find(({ id }) => id === anomaly.id) as Anomaly;
    return incidentId === null ? null : this.incident(incidentId);
  }

  incident(id: string): Incident {
    return this.store.documents.incident.findLast((incident) => incident.id === id) as Incident;
  }

  async say(
    incident: Incident | null,
    request: Partial<FeedbackRequest> & Pick<FeedbackRequest, 'label'>,
  ): Promise<FeedbackAnswer> {
    return (await this.feedback.label(incident?.id ?? '', { by: 'ada', ...request })) as FeedbackAnswer;
  }

  #command(command: DetectorCommand): Incident | undefined {
    this.commands.push(command.type);
    const answer = this.book.command(command as IncidentDecision);
    if ('refusal' in answer) return undefined;
    this.#keep(answer);
    return answer.incident;
  }

  #keep({ anomalies, incidents }: FiledDocuments): void {
    const { documents } = this.store;
    const without = <T extends { id: string }>(all: T[], newer: readonly T[]): T[] => [
      ...all.filter(({ id }) => !newer.some((one) => one.id === id)),
      ...newer,
    ];
    documents.anomaly = without(documents.anomaly, anomalies);
    documents.incident = without(documents.incident, incidents);
  }
}

const isRefused = (code: string, pattern: RegExp) => (error: unknown) =>
  error instanceof HeliosError && error.code === code && pattern.test(error.message);

test('a false alarm says first what it would have changed, is applied, and what comes later calls nobody', async () => {
  const desk = new Desk();
  const incidents = Array.from({ length: 15 }, (_, day) => desk.find('cart', T0 + day * DAY));
  const last = incidents.at(-1) as Incident;
  const question = await desk.feedback.preview(last.id, { label: 'false_alarm', by: 'ada' });
  const preview = {
    days: 30,
    alerts: 15,
    incidents: 15,
    fewerAlerts: 15,
    fewerIncidents: 15,
    confirmedHidden: [],
    sentence: '15 fewer alerts, 0 confirmed incidents hidden',
  };
  assert.deepEqual(question, { feedback: null, preview });
  assert.notEqual(desk.find('cart', T0 + 15 * DAY), null);
  const answer = await desk.say(last, { label: 'false_alarm', note: 'a backup' });
  assert.equal(answer.preview?.fewerAlerts, 16);
  assert.equal(answer.feedback?.rule?.patterns[0]?.service, 'cart');
  assert.equal(desk.find('cart', T0 + 16 * DAY), null);
  assert.notEqual(desk.find('front', T0 + 17 * DAY), null);
  const { label, effect } = desk.incident(last.id).feedback ?? {};
  assert.deepEqual([label, effect], ['false_alarm', '16 fewer alerts, 0 confirmed incidents hidden']);
});

test('what is taken back calls again, stays listed, and counts no more', async () => {
  const desk = new Desk();
  const { feedback } = await desk.say(desk.find('cart', T0), { label: 'expected' });
  assert.equal(desk.find('cart', T0 + DAY), null);
  const taken = await desk.feedback.takeBack(feedback?.id ?? '', 'bob');
  assert.deepEqual(taken?.takenBack, { by: 'bob', at: new Date(desk.clock.nowMs()).toISOString(), reason: 'person' });
  assert.notEqual(desk.find('cart', T0 + 2 * DAY), null);
  assert.equal(desk.incident(feedback?.incidentId ?? '').feedback, null);
  assert.deepEqual(await desk.feedback.list({ label: 'expected' }), [taken]);
  assert.equal((await desk.feedback.quality()).labels.expected, 0);
  assert.equal(await desk.feedback.takeBack('in-1.7', 'bob'), undefined);
  assert.equal(await desk.feedback.takeBack('nonsense', 'bob'), undefined);
});

test('a rule that would hide an incident which a person called real is refused unless it is forced', async () => {
  const desk = new Desk();
  const [real, alarm] = [desk.find('cart', T0), desk.find('cart', T0 + DAY)];
  await desk.say(real, { label: 'real' });
  await assert.rejects(desk.say(alarm, { label: 'false_alarm' }), isRefused('conflict', new RegExp(`would hide ${real?.id}`)));
  assert.deepEqual(await desk.feedback.list({ label: 'false_alarm' }), []);
  assert.notEqual(desk.find('cart', T0 + 2 * DAY), null);
  // The label alone hides nothing, and a narrower rule hides something else.
  await desk.say(alarm, { label: 'false_alarm', apply: false });
  assert.notEqual(desk.find('cart', T0 + 3 * DAY), null);
  await desk.say(alarm, { label: 'expected', scope: { hours: { from: 3, to: 4 } } });
  const forced = await desk.say(alarm, { label: 'false_alarm', force: true });
  assert.deepEqual(forced.preview?.confirmedHidden, [real?.id]);
  assert.equal(forced.preview.sentence, '4 fewer alerts, 1 confirmed incident hidden');
});

test('said twice it is one, said otherwise it takes the place of what was said before, with its rule', async () => {
  const desk = new Desk();
  const incident = desk.find('cart', T0);
  const first = await desk.say(incident, { label: 'false_alarm' });
  assert.deepEqual((await desk.say(incident, { label: 'false_alarm' })).feedback, first.feedback);
  assert.equal(desk.gauges.values.get('helios_feedback_total false_alarm'), 1);
  const second = await desk.say(incident, { label: 'real', by: 'bob' });
  assert.notEqual(desk.find('cart', T0 + DAY), null);
  const said = await desk.feedback.list({ incidentId: incident?.id ?? '' });
  assert.deepEqual(said.map(({ id, takenBack }) => [id, takenBack?.reason]).toReversed(), [
    [first.feedback?.id, 'relabelled'],
    [second.feedback?.id, undefined],
  ]);
});

test('at the same moment many people say something of one incident: all is kept, and one label counts', async () => {
  const desk = new Desk();
  const incident = desk.find('cart', T0);
  const labels = ['real', 'false_alarm', 'expected', 'wrong_cause'] as const;
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => {
      const label = labels[n % 4] as (typeof labels)[number];
      return desk.say(incident, { label, by: `p${n}`, ...(label === 'wrong_cause' ? { cause: 'database' } : {}) });
    }),
  );
  const said = await desk.feedback.list({});
  assert.equal(new Set(said.map(({ id }) => id)).size, 20);
  const counting = said.filter(({ takenBack }) => takenBack === null);
  assert.equal(counting.length, 1);
  const isHushed = desk.find('cart', T0 + DAY) === null;
  assert.equal(isHushed, counting[0]?.rule !== null);
});

test('precision and recall follow what people say, and are shown as metrics', async () => {
  const desk = new Desk();
  assert.deepEqual(await desk.feedback.quality().then(({ precision, recall }) => [precision, recall]), [null, null]);
  const services = ['a', 'b', 'c', 'd', 'e'];
  const incidents = services.map((service, n) => desk.find(service, T0 + n * DAY));
  await desk.say(incidents[0] as Incident, { label: 'real' });
  await desk.say(incidents[1] as Incident, { label: 'real' });
  await desk.say(incidents[2] as Incident, { label: 'wrong_cause', cause: 'database' });
  await desk.say(incidents[3] as Incident, { label: 'expected' });
  const missed = await desk.feedback.missed({
    service: 'front',
    fromMs: T0,
    toMs: T0 + MINUTE,
    by: 'ada',
    note: 'a customer called',
  });
  const { labels, precision, recall } = await desk.feedback.quality();
  assert.deepEqual(labels, { real: 2, wrong_cause: 1, expected: 1, false_alarm: 0, new_normal: 0, missed: 1 });
  assert.deepEqual([precision, recall], [0.75, 0.75]);
  const { values } = desk.gauges;
  assert.equal(values.get('helios_feedback_quality_ratio precision'), 0.75);
  assert.equal(values.get('helios_feedback_quality_ratio recall'), 0.75);
  assert.equal(values.get('helios_feedback_incidents real'), 2);
  assert.equal(values.get('helios_feedback_rules'), 1);
  assert.equal(desk.incident(incidents[2]?.id ?? '').causes[0]?.service, 'database');
  await desk.feedback.takeBack(missed.id, 'ada');
  assert.equal((await desk.feedback.quality()).recall, 1);
  assert.deepEqual(
    (await desk.feedback.list({ service: 'front' })).map(({ id }) => id),
    [missed.id],
  );
});

test('rules are told to a desk that has lost its state when feedback is opened', async () => {
  const desk = new Desk();
  await desk.say(desk.find('cart', T0), { label: 'false_alarm' });
  desk.book = createIncidentBook(testConfig());
  await using reopened = desk.open();
  await reopened.quality();
  while (!desk.commands.slice(2).includes('quiet_rules')) await systemClock.sleep(1);
  assert.equal(desk.find('cart', T0 + DAY), null);
});

test('an incident that the desk has let go of is labelled where it is stored', async () => {
  const desk = new Desk();
  const incident = desk.find('cart', T0) as Incident;
  desk.book = createIncidentBook(testConfig());
  await desk.say(incident, { label: 'wrong_cause', cause: 'database' });
  const stored = await desk.store.get('incident', incident.id);
  assert.equal(stored?.feedback?.cause, 'database');
  assert.deepEqual(
    stored.causes.map(({ service }) => service),
    ['database', 'cart'],
  );
});

test('a new normal is accepted when one is proposed, and cannot be taken back', async () => {
  const desk = new Desk();
  const none = desk.find('cart', T0);
  await assert.rejects(desk.say(none, { label: 'new_normal' }), isRefused('conflict', /proposes no new normal/));
  const newNormal = { state: 'proposed' as const, since: new Date(T0).toISOString(), deploy: null };
  const anomaly = anomalyOf('front', T0 + DAY, { newNormal });
  const { incidents } = desk.book.apply([{ type: 'anomaly', partition: 0, atMs: T0 + DAY, anomaly, evidence: [] }]);
  desk.store.documents.incident.push(...incidents);
  const { feedback } = await desk.say(incidents[0] as Incident, { label: 'new_normal' });
  assert.equal(desk.incident(incidents[0]?.id ?? '').newNormal?.state, 'accepted');
  await assert.rejects(desk.feedback.takeBack(feedback?.id ?? '', 'ada'), isRefused('conflict', /is learned/));
});

test('what makes no sense is refused', async () => {
  const desk = new Desk();
  const incident = desk.find('cart', T0);
  const hours = { from: 1, to: 2 };
  const bad: [Partial<FeedbackRequest> & Pick<FeedbackRequest, 'label'>, RegExp][] = [
    [{ label: 'wrong_cause' }, /needs the service/],
    [{ label: 'real', cause: 'cart' }, /names no cause/],
    [{ label: 'real', scope: {} }, /makes no rule/],
    [{ label: 'false_alarm', scope: { hours } }, /at any hour/],
    [{ label: 'expected', scope: { hours: { from: 1, to: 1 } } }, /are none/],
    [{ label: 'expected', scope: { services: ['mail'] } }, /none of the services/],
  ];
  for (const [request, pattern] of bad) await assert.rejects(desk.say(incident, request), isRefused('invalid_argument', pattern));
  assert.equal(await desk.feedback.label('in-unknown', { label: 'real', by: 'ada' }), undefined);
  const merged = { ...(incident as Incident), id: 'in-merged', mergedInto: 'in-other' };
  desk.store.documents.incident.push(merged);
  await assert.rejects(desk.say(merged, { label: 'real' }), isRefused('conflict', /part of incident in-other/));
});
