import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { getJson, waitFor, waitForEvents } from '../../bench/server-api.ts';
import type { ListPage } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { createGenerator } from '../../src/generate/generator.ts';
import type { Incident } from '../../src/model/incident.ts';
import { SLACK_CHANNEL, SLACK_TOKEN, slackText, startSlackServer } from '../../src/report/notify/slack/slack-server.fixture.ts';
import type { SlackServer } from '../../src/report/notify/slack/slack-server.fixture.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2025, 9, 8, 9);
const FAULT_MS = START_MS + 40 * MINUTE_MS;
const PATIENCE_MS = 60_000;
const SECRET = 'the signing secret of the test';

function startServer(directory: string, slack: SlackServer): Promise<ServerProcess> {
  const file = join(directory, 'helios.yaml');
  const chat = { name: 'chat', type: 'slack', channel: SLACK_CHANNEL, token: SLACK_TOKEN, signing_secret: SECRET };
  const receivers = [{ ...chat, api_url: `${new URL(slack.url).origin}/api/` }];
  writeFileSync(file, stringify({ notify: { receivers, update_interval: '1s' } }));
  return ServerProcess.start({ dataDir: join(directory, 'data'), args: ['--clock', 'events', '--config', file] });
}

/** A healthy fleet, then errors that have not ended by the end of the data. */
async function feed({ url }: ServerProcess): Promise<void> {
  const faults = [{ kind: 'bad_deployment' as const, startMs: FAULT_MS, durationMs: 30 * MINUTE_MS, effect: { errorRate: 0.5 } }];
  const traffic = { seed: 5, services: 4, rate: 20, startMs: START_MS, durationMs: 46 * MINUTE_MS, benignGapMs: Infinity };
  let fed = 0;
  for (const { bytes, count } of createGenerator({ ...traffic, faults }).events(5000)) {
    const response = await fetch(new URL('/api/v1/events', url), { method: 'POST', body: new Uint8Array(bytes) });
    assert.equal(response.status, 202, await response.text());
    fed += count;
  }
  await waitForEvents(url, fed, PATIENCE_MS);
}

/** As Slack does when a person presses a button of the message. */
async function press({ url }: ServerProcess, slack: SlackServer, action: string): Promise<number> {
  const [message] = rootsOf(slack);
  const button = message?.blocks.flatMap(({ elements }) => elements ?? []).find(({ action_id: id }) => id === action);
  assert.ok(button?.value, `the message has no button ${action}`);
  const user = { id: 'U1', username: 'ada', team_id: 'T1' };
  const payload = { type: 'block_actions', user, actions: [{ type: 'button', action_id: action, value: button.value }] };
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = String(Math.floor(Date.now() / 1000));
  const hash = createHmac('sha256', SECRET).update(`v0:${timestamp}:${body}`).digest('hex');
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': `v0=${hash}`,
  };
  return (await fetch(new URL('/api/v1/slack/interactions', url), { method: 'POST', headers, body })).status;
}

function rootsOf({ messages }: SlackServer) {
  return messages.filter(({ thread_ts: thread }) => thread === undefined);
}

async function waitForText(slack: SlackServer, pattern: RegExp): Promise<void> {
  await waitFor(`a message with ${pattern}`, PATIENCE_MS, async () =>
    rootsOf(slack).some((message) => pattern.test(slackText(message))) ? true : undefined,
  );
}

test('an incident is one message in Slack through a restart, and its buttons work', async () => {
  using directory = temporaryDirectory();
  await using slack = await startSlackServer();
  {
    await using first = await startServer(directory.path, slack);
    await feed(first);
    await waitForText(slack, /Open, /);
    assert.equal(await first.stop(), 0);
  }
  await using server = await startServer(directory.path, slack);
  const { items } = await getJson<ListPage<Incident>>(server.url, '/api/v1/incidents', { from: FAULT_MS - MINUTE_MS });
  const live = items.filter(({ mergedInto }) => mergedInto === null);
  assert.equal(live.length, 1);
  assert.equal(await press(server, slack, 'acknowledge'), 200);
  await waitForText(slack, /Acknowledged:.*by ada \(Slack\)/);
  assert.equal(await press(server, slack, 'real'), 200);
  await waitForText(slack, /Said to be:\W+real, by ada \(Slack\)/);
  const incident = await getJson<Incident>(server.url, `/api/v1/incidents/${live[0]?.id}`);
  assert.deepEqual([incident.status, incident.acknowledgedBy], ['acknowledged', 'ada (Slack)']);
  assert.equal(
    rootsOf(slack).length,
    1,
    rootsOf(slack)
      .map(({ text }) => text)
      .join('\n'),
  );
  const unsigned = await fetch(new URL('/api/v1/slack/interactions', server.url), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'payload={}',
  });
  assert.equal(unsigned.status, 401);
  assert.equal(await server.stop(), 0);
});
