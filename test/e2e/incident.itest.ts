import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getJson, waitFor, waitForEvents } from '../../bench/server-api.ts';
import type { ListPage } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { EventStreamReader } from '../../bench/stream-reader.ts';
import { createGenerator } from '../../src/generate/generator.ts';
import type { Anomaly } from '../../src/model/anomaly.ts';
import type { Incident } from '../../src/model/incident.ts';
import type { ModelRecord } from '../../src/model/model-record.ts';
import type { Report } from '../../src/model/report.ts';
import { evidenceValue } from './evidence-value.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2025, 9, 8, 9);
const FAULT_MS = START_MS + 3 * HOUR_MS;
const PATIENCE_MS = 60_000;

const directory = temporaryDirectory();
const generator = createGenerator({
  seed: 5,
  services: 4,
  rate: 20,
  startMs: START_MS,
  durationMs: 3 * HOUR_MS + 15 * 60_000,
  benignGapMs: Infinity,
  faults: [{ kind: 'bad_deployment', startMs: FAULT_MS, durationMs: 10 * 60_000, effect: { errorRate: 0.5 } }],
});
const fault = generator.labels.find(({ benign }) => !benign);
const streamed = new Map<string, unknown[]>();
let server: ServerProcess;
let stream: EventStreamReader;

/** Three hours of a healthy fleet, then a bad deployment and its rollback. */
async function feed(): Promise<number> {
  let fed = 0;
  for (const { bytes, count } of generator.events(5000)) {
    const body = new Uint8Array(bytes);
    const response = await fetch(new URL('/api/v1/events', server.url), { method: 'POST', body });
    assert.equal(response.status, 202, await response.text());
    fed += count;
  }
  return fed;
}

before(async () => {
  server = await ServerProcess.start({ dataDir: directory.path, args: ['--clock', 'events'] });
  stream = await EventStreamReader.open(server.url, ({ type, data }) => {
    streamed.set(type, [...(streamed.get(type) ?? []), data]);
  });
  await waitForEvents(server.url, await feed(), PATIENCE_MS);
});
after(async () => {
  stream[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

interface JsonAnswer<T> {
  status: number;
  answer: T;
}

async function postJson<T>(path: string, body: unknown = {}): Promise<JsonAnswer<T>> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(new URL(path, server.url), { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, answer: (await response.json()) as T };
}

async function faultIncident(): Promise<Incident> {
  const { items } = await getJson<ListPage<Incident>>(server.url, '/api/v1/incidents', { from: FAULT_MS - 60_000 });
  // Newest first: the incident that the fault opened is the oldest.
  const incident = items.findLast(({ services, mergedInto }) => mergedInto === null && services.includes(fault?.service ?? ''));
  assert.ok(incident, `no incident of ${fault?.service} among ${JSON.stringify(items.map(({ title }) => title))}`);
  return incident;
}

test('a fault becomes one incident of the service at fault, with its anomalies', async () => {
  const incident = await faultIncident();
  assert.equal(incident.causes[0]?.service, fault?.service);
  assert.ok(Math.abs(Date.parse(incident.startedAt) - FAULT_MS) <= 60_000, incident.startedAt);
  for (const id of incident.anomalyIds) {
    const anomaly = await getJson<Anomaly>(server.url, `/api/v1/anomalies/${id}`);
    assert.equal(anomaly.incidentId, incident.id);
  }
  const { items: changes } = await getJson<ListPage<{ service: string }>>(server.url, '/api/v1/changes', { from: FAULT_MS });
  assert.ok(
    changes.some(({ service }) => service === fault?.service),
    'the deployment is a change',
  );
});

test('its report is there as JSON and as Markdown, and every evidence item is found where it says', async () => {
  const { id } = await faultIncident();
  const report = await waitFor('the report', PATIENCE_MS, () =>
    getJson<Report>(server.url, `/api/v1/incidents/${id}/report`).catch(() => undefined),
  );
  assert.ok(report.evidence.length >= 3);
  for (const item of report.evidence) {
    const value = await evidenceValue(item, report.evidence, (query) => getJson(server.url, query));
    assert.equal(value, item.value, `${item.id}: ${item.query} ${item.pointer}`);
  }
  const response = await fetch(new URL(`/api/v1/incidents/${id}/report`, server.url), { headers: { accept: 'text/markdown' } });
  assert.match(response.headers.get('content-type') ?? '', /^text\/markdown/);
  const markdown = await response.text();
  for (const section of ['Summary', 'Impact Assessment', 'Root Cause Analysis', 'Recommended Actions', 'Timeline']) {
    assert.match(markdown, new RegExp(`^#+ ${section}`, 'm'));
  }
});

test('the stream told of the anomaly, the incident, the change and the report', async () => {
  const { id, anomalyIds } = await faultIncident();
  await waitFor('the report on the stream', PATIENCE_MS, () =>
    Promise.resolve((streamed.get('report') as Report[] | undefined)?.find(({ incidentId }) => incidentId === id)),
  );
  assert.ok((streamed.get('incident') as Incident[]).some((incident) => incident.id === id));
  assert.ok((streamed.get('anomaly') as Anomaly[]).some((anomaly) => anomalyIds.includes(anomaly.id)));
  assert.ok(streamed.has('change'));
});

test('models are trained on the history, score a window, and become active when told', async () => {
  const service = fault?.service ?? '';
  const trained = await postJson<ListPage<ModelRecord>>('/api/v1/models/train', {
    service,
    to: new Date(FAULT_MS).toISOString(),
  });
  assert.equal(trained.status, 200, JSON.stringify(trained.answer));
  const version = trained.answer.items[0]?.version ?? '';
  const activated = await postJson<ModelRecord>(`/api/v1/models/${version}/activate`);
  assert.deepEqual([activated.status, activated.answer.state], [200, 'active']);
  const models = await getJson<ListPage<ModelRecord>>(server.url, '/api/v1/models');
  const active = models.items.filter((model) => model.service === service && model.state === 'active');
  assert.deepEqual(
    active.map((model) => model.version),
    [version],
  );
  const predict = async (factor: number): Promise<{ score: number; isAnomaly: boolean }> => {
    const from = FAULT_MS - HOUR_MS;
    const { series } = await getJson<{ series: { name: string; points: [number, number | null][] }[] }>(
      server.url,
      '/api/v1/metrics',
      {
        service,
        from,
        to: from + 300_000,
        step: '5m',
      },
    );
    const features = Object.fromEntries(series.map(({ name, points }) => [name, (points[0]?.[1] ?? 0) * factor]));
    const { status, answer } = await postJson<{ score: number; isAnomaly: boolean }>('/api/v1/models/predict', {
      service,
      features,
    });
    assert.equal(status, 200, JSON.stringify(answer));
    return answer;
  };
  const [usual, wild] = [await predict(1), await predict(50)];
  assert.ok(usual.score <= 0 && usual.score >= -1);
  assert.ok(wild.score < usual.score, `${wild.score} for a window fifty times as large, ${usual.score} for a usual one`);
});

test('an incident is acknowledged and resolved by a person, and stays so', async () => {
  const { items } = await getJson<ListPage<Incident>>(server.url, '/api/v1/incidents');
  const open = items.find(({ status }) => status === 'open');
  if (open) {
    const { status, answer } = await postJson<Incident>(`/api/v1/incidents/${open.id}/acknowledge`, { by: 'on-call' });
    assert.deepEqual([status, answer.status, answer.acknowledgedBy], [200, 'acknowledged', 'on-call']);
  }
  const { id } = open ?? (await faultIncident());
  const resolved = await postJson<Incident>(`/api/v1/incidents/${id}/resolve`, { by: 'on-call' });
  assert.deepEqual([resolved.status, resolved.answer.status], [200, 'resolved']);
  assert.equal((await getJson<Incident>(server.url, `/api/v1/incidents/${id}`)).status, 'resolved');
  assert.equal((await postJson(`/api/v1/incidents/${id}/acknowledge`)).status, 409);
});
