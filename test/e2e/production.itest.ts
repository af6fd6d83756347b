import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getJson, waitFor, waitForEvents } from '../../bench/server-api.ts';
import type { ListPage } from '../../bench/server-api.ts';
import { StackAudit } from '../../bench/stack-audit.ts';
import { StackSender } from '../../bench/stack-sender.ts';
import { temporaryDirectory } from '../../bench/server-process.ts';
import { EventStreamReader } from '../../bench/stream-reader.ts';
import { createGenerator } from '../../src/generate/generator.ts';
import type { GeneratorOptions } from '../../src/generate/generator-options.ts';
import type { Anomaly } from '../../src/model/anomaly.ts';
import type { Incident } from '../../src/model/incident.ts';
import type { Report } from '../../src/model/report.ts';
import { startModelServer } from '../../src/report/llm/model-server.fixture.ts';
import { truthfulClaims } from '../../src/report/llm/scripted-model.fixture.ts';
import { slackText, startSlackServer } from '../../src/report/notify/slack/slack-server.fixture.ts';
import { HeliosStack } from '../servers/helios-stack.ts';
import type { StackOptions } from '../servers/helios-stack.ts';
import { serverAddress, withServers } from '../servers/server-address.fixture.ts';
import { StackPlace } from '../servers/stack-place.ts';
import { writeTellingConfig } from './telling.fixture.ts';

const PATIENCE_MS = 120_000;
const START_MS = Date.UTC(2025, 9, 8, 9);
const MINUTE_MS = 60_000;

function openPlace(): Promise<StackPlace> {
  return StackPlace.open(serverAddress('kafka') as string, serverAddress('postgres') as string);
}

function startStack(
  { kafka, postgres, args }: StackPlace,
  more: readonly string[] = [],
  replicas: StackOptions['replicas'] = {},
): Promise<HeliosStack> {
  return HeliosStack.start({ kafka, postgres, args: [...args, '--clock', 'events', ...more], replicas });
}

async function send(stack: HeliosStack, options: GeneratorOptions): Promise<number> {
  const doors = stack.names().filter((name) => name.startsWith('ingest'));
  await using sender = new StackSender({ urls: () => doors.map((name) => stack.url(name)) });
  let number = 0;
  for (const { bytes, count } of createGenerator(options).events(1000)) await sender.send(bytes, count, `batch-${number++}`);
  return sender.acknowledged;
}

/** Waits until what was sent is stored, settled and reported. */
async function settled(stack: HeliosStack, audit: StackAudit, events: number): Promise<void> {
  try {
    await waitUntilSettled(stack, audit, events);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${stack.said()}`, { cause: error });
  }
}

async function waitUntilSettled(stack: HeliosStack, audit: StackAudit, events: number): Promise<void> {
  await waitForEvents(stack.url('console-0'), events, PATIENCE_MS);
  let last = '';
  await waitFor('the alerts to be settled', PATIENCE_MS, async () => {
    const now = `${await audit.progress()} ${await audit.behind()} ${await audit.pendingAlerts()} ${await audit.dueReports()}`;
    const isQuiet = now === last && now.endsWith(' 0 0 0');
    last = now;
    if (!isQuiet) await new Promise((resolve) => setTimeout(resolve, 1500));
    return isQuiet ? true : undefined;
  });
}

function testBadDeployment(): void {
  test('what one process a role makes of a bad deployment: an incident with a report, on the stream and in the API', async () => {
    await using place = await openPlace();
    await using stack = await startStack(place);
    await using audit = new StackAudit(place.postgres);
    const streamed = new Map<string, unknown[]>();
    const console = stack.url('console-0');
    using _stream = await EventStreamReader.open(console, ({ type, data }) => {
      streamed.set(type, [...(streamed.get(type) ?? []), data]);
    });
    const fault = { kind: 'bad_deployment' as const, startMs: START_MS + 40 * MINUTE_MS, durationMs: 5 * MINUTE_MS };
    const common = { seed: 5, services: 6, rate: 30, startMs: START_MS, durationMs: 50 * MINUTE_MS, benignGapMs: Infinity };
    const events = await send(stack, { ...common, faults: [{ ...fault, effect: { errorRate: 0.5 } }] });
    await settled(stack, audit, events);
    assert.deepEqual(await audit.events(), { rows: events, distinct: events });
    const { items } = await getJson<ListPage<Incident>>(console, '/api/v1/incidents');
    const [incident] = items.filter(({ startedAt }) => Math.abs(Date.parse(startedAt) - fault.startMs) <= MINUTE_MS);
    assert.ok(incident, JSON.stringify(items.map(({ title, startedAt }) => [title, startedAt])));
    const report = await getJson<Report>(console, `/api/v1/incidents/${incident.id}/report`);
    assert.equal(report.incidentId, incident.id);
    assert.match(report.markdown, /## Root Cause Analysis/);
    const anomalies = await getJson<ListPage<Anomaly>>(console, '/api/v1/anomalies');
    for (const id of incident.anomalyIds)
      assert.ok(anomalies.items.some((anomaly) => anomaly.id === id && anomaly.incidentId === incident.id));
    assert.ok((streamed.get('incident') as Incident[]).some(({ id }) => id === incident.id));
    assert.ok((streamed.get('report') as Report[]).some(({ incidentId }) => incidentId === incident.id));
    for (const name of stack.names()) {
      const { ready } = await getJson<{ ready: boolean }>(stack.url(name), '/readyz');
      assert.equal(ready, true, name);
    }
    for (const name of stack.names()) assert.equal(await stack.stop(name), 0, name);
  });
}

function testDecisions(): void {
  test('a decision at the console reaches incident, stream and detectors', async () => {
    await using place = await openPlace();
    await using stack = await startStack(place);
    await using audit = new StackAudit(place.postgres);
    const console = stack.url('console-0');
    const fault = { kind: 'error_burst' as const, startMs: START_MS + 40 * MINUTE_MS, durationMs: 30 * MINUTE_MS };
    const common = { seed: 6, services: 4, rate: 30, startMs: START_MS, durationMs: 44 * MINUTE_MS, benignGapMs: Infinity };
    const events = await send(stack, { ...common, faults: [{ ...fault, effect: { errorRate: 0.5 } }] });
    await settled(stack, audit, events);
    const open = await getJson<ListPage<Incident>>(console, '/api/v1/incidents', { status: 'open' });
    const [incident] = open.items;
    assert.ok(incident, 'an incident is open');
    const acknowledge = await fetch(new URL(`/api/v1/incidents/${incident.id}/acknowledge`, console), { method: 'POST' });
    assert.equal(acknowledge.status, 200, await acknowledge.clone().text());
    assert.equal(((await acknowledge.json()) as Incident).status, 'acknowledged');
    const resolve = await fetch(new URL(`/api/v1/incidents/${incident.id}/resolve`, console), { method: 'POST' });
    assert.equal(((await resolve.json()) as Incident).status, 'resolved');
    assert.equal((await getJson<Incident>(console, `/api/v1/incidents/${incident.id}`)).status, 'resolved');
    await waitFor('the decision to be sent', PATIENCE_MS, async () => {
      const rows = await audit.query('SELECT 1 FROM control_outbox');
      return rows.length === 0 ? true : undefined;
    });
  });
}

function testReplicas(): void {
  test('two detectors and two reporters make one incident and one report of a cascade of 40 services, and every alert once', async () => {
    await using place = await openPlace();
    await using stack = await startStack(place, ['--set', 'report.update_interval=1h'], { detect: 2, report: 2 });
    await using audit = new StackAudit(place.postgres);
    const alerts: Anomaly[] = [];
    using _stream = await EventStreamReader.open(stack.url('console-0'), ({ type, data }) => {
      if (type === 'anomaly' && (data as Anomaly).state === 'firing') alerts.push(data as Anomaly);
    });
    const fault = { kind: 'cascade' as const, startMs: START_MS + 40 * MINUTE_MS, durationMs: 20 * MINUTE_MS };
    const common = { seed: 11, services: 40, rate: 120, startMs: START_MS, durationMs: 46 * MINUTE_MS, benignGapMs: Infinity };
    const events = await send(stack, { ...common, faults: [fault] });
    await settled(stack, audit, events);
    const { incidents, reports, anomalies } = await audit.verdicts();
    const during = [...incidents.values()].filter(
      (incident) => Date.parse((incident as Incident).startedAt) >= fault.startMs - MINUTE_MS,
    );
    const live = (during as Incident[]).filter(({ mergedInto }) => mergedInto === null);
    assert.equal(live.length, 1, JSON.stringify(live.map(({ title, startedAt }) => [title, startedAt])));
    const [incident] = live as [Incident];
    assert.equal(reports.get(incident.id), 1, 'the report is in its first version');
    assert.ok(incident.services.length >= 3, `${incident.services.length} services`);
    const once = new Set(alerts.map((alert) => JSON.stringify(alert)));
    assert.equal(once.size, alerts.length, 'no alert is told twice');
    const told = new Set(alerts.map(({ id }) => id));
    assert.deepEqual(
      incident.anomalyIds.filter((id) => !told.has(id)),
      [],
      'every alert is told',
    );
    for (const id of incident.anomalyIds) assert.ok(anomalies.has(id), `anomaly ${id} is stored`);
  });
}

function testTelling(): void {
  test('of two reporters one asks the model, and one tells the channel of a cascade, in one message', async () => {
    using directory = temporaryDirectory();
    await using slack = await startSlackServer();
    await using model = await startModelServer(({ telemetry, count }) => ({
      text: JSON.stringify({ claims: truthfulClaims(telemetry, count) }),
    }));
    await using place = await openPlace();
    const file = writeTellingConfig(directory.path, slack, model);
    await using stack = await startStack(place, ['--config', file], { report: 2 });
    await using audit = new StackAudit(place.postgres);
    const fault = { kind: 'cascade' as const, startMs: START_MS + 40 * MINUTE_MS, durationMs: 20 * MINUTE_MS };
    const common = { seed: 11, services: 40, rate: 120, startMs: START_MS, durationMs: 46 * MINUTE_MS, benignGapMs: Infinity };
    await settled(stack, audit, await send(stack, { ...common, faults: [fault] }));
    const console = stack.url('console-0');
    const { items } = await getJson<ListPage<Incident>>(console, '/api/v1/incidents', { from: fault.startMs - MINUTE_MS });
    const [incident] = items.filter(({ mergedInto }) => mergedInto === null);
    assert.ok(incident);
    const report = await waitFor('the narrative', PATIENCE_MS, async () => {
      const newest = await getJson<Report>(console, `/api/v1/incidents/${incident.id}/report`);
      return newest.phase === 'narrative' ? newest : undefined;
    });
    const cost = report.costUsd.toFixed(2);
    await waitFor('the message with the cost', PATIENCE_MS, async () =>
      slack.messages.some((message) => slackText(message).includes(cost)) ? true : undefined,
    );
    assert.equal(model.requests.length, 1, 'one request to the model');
    const own = slack.messages.filter(({ thread_ts: thread }) => thread === undefined);
    assert.equal(own.filter((message) => JSON.stringify(message).includes(incident.id)).length, 1, 'one message');
    for (const name of stack.names()) assert.equal(await stack.stop(name), 0, name);
  });
}

withServers(['kafka', 'postgres'], 'roles in processes of their own over Kafka and a database', () => {
  testBadDeployment();
  testDecisions();
  testReplicas();
  testTelling();
});
