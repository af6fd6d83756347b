import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getJson, listAll, waitFor, waitForEvents } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { EventStreamReader } from '../../bench/stream-reader.ts';
import { createGenerator } from '../../src/generate/generator.ts';
import type { Anomaly } from '../../src/model/anomaly.ts';
import type { Incident } from '../../src/model/incident.ts';
import type { SimulatedAlert, SimulatedIncident, Simulation, SimulationStatus } from '../../src/model/simulation.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2025, 9, 8, 9);
const PATIENCE_MS = 120_000;
const STEP_MS = 10_000;

const directory = temporaryDirectory();
const generator = createGenerator({
  seed: 5,
  services: 4,
  rate: 20,
  startMs: START_MS,
  durationMs: 3 * HOUR_MS,
  benignGapMs: Infinity,
  faults: [
    { kind: 'bad_deployment', startMs: START_MS + 1.5 * HOUR_MS, durationMs: 10 * 60_000, effect: { errorRate: 0.4 } },
    { kind: 'error_burst', startMs: START_MS + 2.5 * HOUR_MS, durationMs: 5 * 60_000 },
  ],
});
const progress: SimulationStatus[] = [];
let server: ServerProcess;
let stream: EventStreamReader;

async function post(path: string, body: Uint8Array<ArrayBuffer> | string, type = 'application/json'): Promise<Response> {
  return fetch(new URL(path, server.url), { method: 'POST', body, headers: { 'content-type': type } });
}

/** Gauges of a queue that runs full at the end, ten minutes a request. */
async function feedMetrics(): Promise<void> {
  for (let from = START_MS; from < START_MS + 3 * HOUR_MS; from += 60 * STEP_MS) {
    const dataPoints = Array.from({ length: 60 }, (_, i) => {
      const atMs = from + i * STEP_MS;
      const isFull = atMs > START_MS + 2.9 * HOUR_MS;
      return { timeUnixNano: `${atMs}000000`, asDouble: (isFull ? 4000 : 40) + ((i * 7) % 11) };
    });
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'broker' } }] };
    const metrics = [{ name: 'queue.depth', unit: '1', gauge: { dataPoints } }];
    const body = JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] });
    const response = await post('/v1/metrics', body);
    assert.equal(response.status, 200, await response.text());
  }
}

before(async () => {
  server = await ServerProcess.start({ dataDir: directory.path, args: ['--clock', 'events', '--set', 'log.segment_size=4MiB'] });
  stream = await EventStreamReader.open(server.url, ({ type, data }) => {
    if (type === 'simulation') progress.push(data as SimulationStatus);
  });
  let fed = 0;
  for (const { bytes, count } of generator.events(5000)) {
    const response = await post('/api/v1/events', new Uint8Array(bytes), 'application/x-ndjson');
    assert.equal(response.status, 202, await response.text());
    fed += count;
  }
  await waitForEvents(server.url, fed, PATIENCE_MS);
  await feedMetrics();
  await waitFor('an alert of the queue', PATIENCE_MS, async () => {
    const { items } = await getJson<{ items: Anomaly[] }>(server.url, '/api/v1/anomalies', { service: 'broker' });
    return items[0];
  });
});
after(async () => {
  stream[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

async function create(body: object): Promise<Simulation> {
  const response = await post('/api/v1/simulations', JSON.stringify(body));
  const text = await response.text();
  assert.equal(response.status, 202, text);
  return JSON.parse(text) as Simulation;
}

function ended(id: string): Promise<Simulation> {
  return waitFor(`the end of ${id}`, PATIENCE_MS, async () => {
    const simulation = await getJson<Simulation>(server.url, `/api/v1/simulations/${id}`);
    return simulation.state === 'queued' || simulation.state === 'running' ? undefined : simulation;
  });
}

async function all<T>(path: string): Promise<T[]> {
  const items: T[] = [];
  for await (const item of listAll<T>(server.url, path)) items.push(item);
  return items;
}

const alertFacts = (alert: Anomaly | SimulatedAlert) => ({
  id: alert.id,
  service: alert.service,
  signal: alert.signal,
  severity: alert.severity,
  startedAt: alert.startedAt,
  detectedAt: alert.detectedAt,
  resolvedAt: alert.resolvedAt,
  incidentId: alert.incidentId,
});
const incidentFacts = (incident: Incident | SimulatedIncident) => ({
  id: incident.id,
  severity: incident.severity,
  title: incident.title,
  services: incident.services,
  startedAt: incident.startedAt,
  detectedAt: incident.detectedAt,
  resolvedAt: incident.resolvedAt,
  mergedInto: incident.mergedInto,
});
const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);

test('without overrides a simulation says what the running server said: ids, times, severities, of events and of metrics', async () => {
  const [anomalies, incidents] = [await all<Anomaly>('/api/v1/anomalies'), await all<Incident>('/api/v1/incidents')];
  assert.ok(anomalies.some(({ signal }) => signal === 'metric') && anomalies.some(({ signal }) => signal !== 'metric'));
  const { id } = await create({ overrides: {} });
  const { state, error, result } = await ended(id);
  assert.deepEqual([state, error], ['done', null]);
  assert.ok(result);
  assert.deepEqual(result.present.alerts.map(alertFacts).toSorted(byId), anomalies.map(alertFacts).toSorted(byId));
  assert.deepEqual(result.present.incidents.map(incidentFacts).toSorted(byId), incidents.map(incidentFacts).toSorted(byId));
  assert.deepEqual(result.overridden, result.present);
  assert.equal(result.historyLost, false);
  // Four services, three hours each, to the minute.
  assert.ok(Math.abs(result.serviceDays - 0.5) < 0.02, String(result.serviceDays));
});

test('an override that must change something does, and progress comes on the stream', async () => {
  const { id, overrides, present } = await create({ overrides: { incident_gap: '10s', metric_series: 0 } });
  assert.deepEqual([overrides['anomaly_detection.incident_gap'], present['anomaly_detection.incident_gap']], ['10s', '5m']);
  const { result } = await ended(id);
  assert.ok(result);
  assert.ok(result.difference.onlyPresent.some(({ signal }) => signal === 'metric'));
  assert.equal(result.difference.onlyOverriddenCount, 0);
  const states = await waitFor('the end on the stream', PATIENCE_MS, async () => {
    const seen = progress.filter((status) => status.id === id).map(({ state }) => state);
    return seen.at(-1) === 'done' ? seen : undefined;
  });
  assert.deepEqual([...new Set(states)], ['queued', 'running', 'done']);
});

test('what the configuration would refuse is refused with the nearest key', async () => {
  const response = await post('/api/v1/simulations', '{"overrides":{"false_alarm_bugdet":1}}');
  assert.equal(response.status, 400);
  assert.match(await response.text(), /did you mean anomaly_detection\.false_alarm_budget\?/);
});

test('one runs, four wait, further ones are refused, and all can be cancelled', async () => {
  const jobs: Simulation[] = [];
  let refused: Response | undefined;
  for (let i = 0; i < 6 && refused === undefined; i++) {
    const response = await post('/api/v1/simulations', '{"overrides":{"contamination":0.1}}');
    if (response.status === 202) jobs.push((await response.json()) as Simulation);
    else refused = response;
  }
  assert.ok(refused);
  assert.equal(refused.status, 503);
  assert.equal(((await refused.json()) as { code: string }).code, 'overloaded');
  for (const { id } of jobs) {
    const response = await fetch(new URL(`/api/v1/simulations/${id}`, server.url), { method: 'DELETE' });
    const { state, result } = (await response.json()) as Simulation;
    assert.deepEqual([response.status, state, result], [200, 'cancelled', null]);
  }
  const { items } = await getJson<{ items: SimulationStatus[] }>(server.url, '/api/v1/simulations');
  assert.ok(items.every(({ state }) => state === 'cancelled' || state === 'done'));
  assert.equal((await ended((await create({ overrides: {}, service: 'broker' })).id)).state, 'done', 'the queue goes on');
});
