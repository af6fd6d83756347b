import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { getJson, waitFor, waitForEvents } from '../../bench/server-api.ts';
import type { ListPage } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { createGenerator } from '../../src/generate/generator.ts';
import type { Event } from '../../src/model/event.ts';
import type { Incident } from '../../src/model/incident.ts';
import type { Report } from '../../src/model/report.ts';
import { startModelServer } from '../../src/report/llm/model-server.fixture.ts';
import { truthfulClaims } from '../../src/report/llm/scripted-model.fixture.ts';
import { startReceiverServer } from '../../src/report/notify/receiver-server.fixture.ts';
import { SLACK_CHANNEL, SLACK_TOKEN, slackMarkup, startSlackServer } from '../../src/report/notify/slack/slack-server.fixture.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2025, 9, 8, 9);
const FAULT_MS = START_MS + 40 * MINUTE_MS;
const PATIENCE_MS = 60_000;
const PAGE = 'https://helios.example.org';

/** What no door may let out, whichever field it came in by; beginnings, as half a key is one too. */
const LEAKS = [
  'hunter2sec',
  'AKIAQWERTY',
  'canary-horse',
  'SflKxwRJSMe',
  'sk-proj-abc',
  'ghp_abcdef',
  'eve.canary',
  'bob.canary',
];
const NAMES = [
  'pay <!channel>',
  '<@U0EVILUSER>',
  'password=hunter2sec99',
  'tok-AKIAQWERTYUIOPASDFGH',
  '[x](http://evil.example)',
  'cart',
];
const ENDPOINTS = ['/pay?token=sk-proj-abcdefghij0123456789abcd', '/u/bob.canary@example.net', '<!here>'];
const VERSION = 'v2 <!channel> https://evil.example/v with words ghp_abcdefghijklmnopqrstuvwxyz0123456789';
const MESSAGES = [
  'login of eve.canary@example.com failed, password=canary-horse <!channel> @here',
  'dsn postgres://root:canary-horse@db.example.com/x refused',
  'Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c',
];

function poisoned(line: string, index: number, names: Map<string, string>): string {
  const event = JSON.parse(line) as Event;
  const { metadata, level } = event;
  if (!names.has(event.service)) names.set(event.service, NAMES[names.size] ?? event.service);
  event.service = names.get(event.service) as string;
  const endpoint = JSON.stringify(metadata['endpoint'] ?? '').slice(1, -1);
  metadata['endpoint'] = `${ENDPOINTS[endpoint.length % ENDPOINTS.length]}${endpoint}`;
  if (Date.parse(event.timestamp) >= FAULT_MS) {
    metadata['service.version'] = VERSION;
    if (level === 'ERROR' || level === 'CRITICAL') event.message = MESSAGES[index % MESSAGES.length] as string;
  }
  return JSON.stringify(event);
}

async function feed(server: ServerProcess): Promise<void> {
  const names = new Map<string, string>();
  const fault = { kind: 'cascade' as const, startMs: FAULT_MS, durationMs: 20 * MINUTE_MS };
  const traffic = { seed: 11, services: 12, rate: 60, startMs: START_MS, durationMs: 46 * MINUTE_MS, benignGapMs: Infinity };
  let fed = 0;
  for (const { bytes, count } of createGenerator({ ...traffic, faults: [fault] }).events(5000)) {
    const lines = new TextDecoder().decode(bytes).trim().split('\n');
    const body = lines.map((line, i) => poisoned(line, i, names)).join('\n');
    const response = await fetch(new URL('/api/v1/events', server.url), { method: 'POST', body });
    assert.equal(response.status, 202, await response.text());
    fed += count;
  }
  await waitForEvents(server.url, fed, PATIENCE_MS);
}

async function askTool(server: ServerProcess, name: string, input: object): Promise<string> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: input } });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  return (await fetch(new URL('/mcp', server.url), { method: 'POST', headers, body })).text();
}

test('no secret, person, link or mention of hostile telemetry leaves by any door', async () => {
  using directory = temporaryDirectory();
  await using slack = await startSlackServer();
  await using hooks = await startReceiverServer(({ path }) => ({
    status: path === '/pd' ? 202 : 200,
    body: path === '/sw' ? 'ok' : '{}',
  }));
  await using model = await startModelServer(({ telemetry, count }) => ({
    text: JSON.stringify({ claims: truthfulClaims(telemetry, count) }),
  }));
  const llm = { provider: 'openai-compatible', model: 'scripted', base_url: model.url, openai_api_key: 'none', delay: '2s' };
  const s3 = {
    bucket: 'bucket',
    endpoint: hooks.url,
    path_style: true,
    region: 'us-east-1',
    access_key_id: 'a',
    secret_access_key: 'b',
  };
  const receivers = [
    { name: 'chat', type: 'slack', channel: SLACK_CHANNEL, token: SLACK_TOKEN, api_url: `${new URL(slack.url).origin}/api/` },
    { name: 'hook', type: 'slack_webhook', url: `${hooks.url}/sw` },
    { name: 'pager', type: 'pagerduty', routing_key: 'r'.repeat(32), url: `${hooks.url}/pd` },
    { name: 'alerts', type: 'alertmanager', url: `${hooks.url}/am` },
    { name: 'teams', type: 'teams', url: `${hooks.url}/tm` },
  ];
  const file = join(directory.path, 'helios.yaml');
  const report = { llm, prices: [{ model: 'scripted', input: 10, output: 50 }], update_interval: '1s', archive: { s3 } };
  writeFileSync(file, stringify({ report, notify: { public_url: PAGE, receivers, update_interval: '1s' } }));
  await using server = await ServerProcess.start({
    dataDir: join(directory.path, 'data'),
    args: ['--clock', 'events', '--config', file],
  });
  await feed(server);
  const { items } = await getJson<ListPage<Incident>>(server.url, '/api/v1/incidents', { from: FAULT_MS - MINUTE_MS });
  const incident = items.find(({ mergedInto }) => mergedInto === null) as Incident;
  await waitFor('the narrative at every door', PATIENCE_MS, async () => {
    const newest = await getJson<Report>(server.url, `/api/v1/incidents/${incident.id}/report`);
    const wrote = new Set(hooks.requests.map(({ path }) => (path.startsWith('/bucket/') ? 's3' : path)));
    return newest.phase === 'narrative' && wrote.size === 5 && slack.messages.some(({ edits }) => edits > 0) ? true : undefined;
  });
  const range = { from: FAULT_MS - MINUTE_MS, to: FAULT_MS + 6 * MINUTE_MS };
  const answers = await Promise.all([
    askTool(server, 'get_incident', { id: incident.id }),
    askTool(server, 'get_report', { id: incident.id }),
    askTool(server, 'query_logs', { ...range, level: 'ERROR', limit: 50 }),
    askTool(server, 'list_changes', {}),
    askTool(server, 'explain_anomaly', { id: incident.anomalyIds[0] }),
  ]);
  const sent = [...slack.requests, ...hooks.requests, ...model.requests].map(({ body }) => body);
  const left = [...sent, ...slack.requests.map(({ body }) => decodeURIComponent(body)), ...answers, server.errorOutput];
  for (const leak of LEAKS)
    for (const text of left) assert.ok(!text.includes(leak), `${leak} in ${text.slice(text.indexOf(leak) - 200).slice(0, 300)}`);
  const links = new Set(slack.messages.flatMap(slackMarkup));
  for (const link of links) assert.ok(link.startsWith(`<${PAGE}/`), link);
  assert.equal(await server.stop(), 0);
});
