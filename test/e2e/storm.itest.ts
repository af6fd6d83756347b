import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { getJson, waitFor, waitForEvents } from '../../bench/server-api.ts';
import type { ListPage } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { createGenerator } from '../../src/generate/generator.ts';
import type { Incident } from '../../src/model/incident.ts';
import type { Report } from '../../src/model/report.ts';
import { startModelServer } from '../../src/report/llm/model-server.fixture.ts';
import type { ModelServer } from '../../src/report/llm/model-server.fixture.ts';
import { truthfulClaims } from '../../src/report/llm/scripted-model.fixture.ts';
import { slackText, startSlackServer } from '../../src/report/notify/slack/slack-server.fixture.ts';
import type { SlackServer } from '../../src/report/notify/slack/slack-server.fixture.ts';
import { writeTellingConfig } from './telling.fixture.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2025, 9, 8, 9);
const FAULT_MS = START_MS + 40 * MINUTE_MS;
const PATIENCE_MS = 90_000;

const truthful = () =>
  startModelServer(({ telemetry, count }) => ({ text: JSON.stringify({ claims: truthfulClaims(telemetry, count) }) }));

function startServer(directory: string, slack: SlackServer, model: ModelServer): Promise<ServerProcess> {
  const file = writeTellingConfig(directory, slack, model);
  return ServerProcess.start({ dataDir: join(directory, 'data'), args: ['--clock', 'events', '--config', file] });
}

async function feedCascade(server: ServerProcess): Promise<void> {
  const fault = { kind: 'cascade' as const, startMs: FAULT_MS, durationMs: 20 * MINUTE_MS };
  const traffic = { seed: 11, services: 40, rate: 120, startMs: START_MS, durationMs: 46 * MINUTE_MS, benignGapMs: Infinity };
  let fed = 0;
  for (const { bytes, count } of createGenerator({ ...traffic, faults: [fault] }).events(5000)) {
    const response = await fetch(new URL('/api/v1/events', server.url), { method: 'POST', body: new Uint8Array(bytes) });
    assert.equal(response.status, 202, await response.text());
    fed += count;
  }
  await waitForEvents(server.url, fed, PATIENCE_MS);
}

async function stormOf(server: ServerProcess): Promise<Incident> {
  const { items } = await getJson<ListPage<Incident>>(server.url, '/api/v1/incidents', { from: FAULT_MS - MINUTE_MS });
  const live = items.filter(({ mergedInto }) => mergedInto === null);
  assert.equal(live.length, 1, JSON.stringify(live.map(({ title }) => title)));
  return live[0] as Incident;
}

function reportOf(server: ServerProcess, { id }: Incident): Promise<Report> {
  return getJson<Report>(server.url, `/api/v1/incidents/${id}/report`);
}

test('a storm in a fleet of 40 services is one incident, one request to the model, and one message that is edited, with its cost', async () => {
  using directory = temporaryDirectory();
  await using slack = await startSlackServer();
  await using model = await truthful();
  await using server = await startServer(directory.path, slack, model);
  await feedCascade(server);
  const incident = await stormOf(server);
  assert.ok(incident.services.length >= 3, `${incident.services.length} services`);
  const report = await waitFor('the narrative', PATIENCE_MS, async () => {
    const newest = await reportOf(server, incident);
    return newest.phase === 'narrative' ? newest : undefined;
  });
  assert.ok(report.costUsd > 0);
  assert.ok((report.narrative?.claims.length ?? 0) > 0);
  const cost = report.costUsd.toFixed(2);
  await waitFor('the message with the cost', PATIENCE_MS, async () =>
    slack.messages.some((message) => slackText(message).includes(cost)) ? true : undefined,
  );
  assert.equal(model.requests.length, 1, 'one request to the model');
  const own = slack.messages.filter(({ thread_ts: thread }) => thread === undefined);
  const told = own.filter(
    (message) => slackText(message).includes(incident.title) || JSON.stringify(message).includes(incident.id),
  );
  assert.equal(told.length, 1, own.map(({ text }) => text).join('\n'));
  assert.ok((told[0]?.edits ?? 0) > 0, 'the message is edited');
  assert.equal(await server.stop(), 0);
});

test('while the provider of the model hangs, the report of facts is there and the message is sent', async () => {
  using directory = temporaryDirectory();
  await using slack = await startSlackServer();
  await using model = await startModelServer(() => () => {});
  await using server = await startServer(directory.path, slack, model);
  await feedCascade(server);
  const incident = await stormOf(server);
  await waitFor('the request to the model', PATIENCE_MS, async () => (model.requests.length > 0 ? true : undefined));
  await waitFor('the message', PATIENCE_MS, async () =>
    slack.messages.some((message) => JSON.stringify(message).includes(incident.id)) ? true : undefined,
  );
  assert.equal((await reportOf(server, incident)).phase, 'facts');
  assert.equal(await server.stop(), 0);
});
