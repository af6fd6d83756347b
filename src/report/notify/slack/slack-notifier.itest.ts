import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../../lib/clock.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { createNotifier } from '../create-notifier.ts';
import { actionable, messageOf, reportOf, testRedaction } from '../message.fixture.ts';
import { notifierContract } from '../notifier.contract.ts';
import type { NotifierUnderTest } from '../notifier.contract.ts';
import type { Notifier } from '../notifier.ts';
import { receiverConfigSchema } from '../receiver-config.ts';
import { SLACK_CHANNEL, slackMarkup, slackText, SLACK_TOKEN, startSlackServer } from './slack-server.fixture.ts';
import type { SlackServer } from './slack-server.fixture.ts';

const never = new AbortController().signal;
const LINK = '<https://helios.example.com/incidents/in-1|Open in HELIOS>';

function notifierOf(server: SlackServer, changed: Record<string, string> = {}, timeoutMs = 20_000): Notifier {
  const config = receiverConfigSchema.parse({
    type: 'slack',
    name: 'ops',
    channel: SLACK_CHANNEL,
    token: SLACK_TOKEN,
    signing_secret: 'shhh',
    api_url: `${server.url}/api/`,
    ...changed,
  });
  return createNotifier(config, { redactor: testRedaction, clock: systemClock, logger: silentLogger, timeoutMs });
}

async function open(): Promise<NotifierUnderTest> {
  const server = await startSlackServer();
  const thread = (ts: string) => server.messages.filter((message) => message.ts === ts || message.thread_ts === ts);
  return {
    notifier: notifierOf(server),
    hasty: notifierOf(server, {}, 100),
    stranger: notifierOf(server, { token: 'xoxb-of-somebody-else' }),
    shown: () =>
      server.messages
        .filter(({ thread_ts: root }) => root === undefined)
        .map(({ ts }) =>
          thread(ts)
            .map((message) => slackText(message))
            .join('\n'),
        ),
    actionable: () =>
      server.messages.flatMap((message) => [
        ...slackMarkup(message).filter((markup) => markup !== LINK),
        ...actionable(slackText(message)),
      ]),
    misbehave: (how) => server.misbehave(how),
    async close() {
      await server[Symbol.asyncDispose]();
      assert.deepEqual(server.refusals, [], 'what the limits allow is sent at once');
    },
  };
}

notifierContract('slack', open);

test('an incident is one message in the channel, and its report and evidence one each in the thread', async () => {
  await using server = await startSlackServer();
  const notifier = notifierOf(server);
  let sent = await notifier.send(messageOf(), undefined, never);
  for (let revision = 2; revision < 6; revision++) {
    sent = await notifier.send(messageOf({ revision, state: 'updated', report: reportOf(`state ${revision}`) }), sent, never);
  }
  assert.deepEqual(
    server.messages.map(({ thread_ts: root, metadata }) => [root === undefined, metadata?.event_type]),
    [
      [true, 'helios_incident'],
      [false, 'helios_report'],
      [false, 'helios_evidence'],
    ],
  );
  assert.equal(server.messages[0]?.metadata?.event_payload.revision, 5);
});

test('the buttons carry the incident, and there is no acknowledging what is acknowledged', async () => {
  await using server = await startSlackServer();
  const notifier = notifierOf(server);
  const sent = await notifier.send(messageOf(), undefined, never);
  const buttons = () => server.messages[0]?.blocks.find(({ type }) => type === 'actions')?.elements ?? [];
  assert.deepEqual(
    buttons().map(({ action_id: id, value }) => `${id} ${value}`),
    ['acknowledge in-1', 'real in-1', 'expected in-1', 'false_alarm in-1', 'new_normal in-1'],
  );
  await notifier.send(messageOf({ revision: 2, state: 'acknowledged' }), sent, never);
  assert.deepEqual(
    buttons().map(({ action_id: id }) => id),
    ['real', 'expected', 'false_alarm', 'new_normal'],
  );
  await using quiet = await startSlackServer();
  const config = receiverConfigSchema.parse({
    type: 'slack',
    name: 'ops',
    channel: SLACK_CHANNEL,
    token: SLACK_TOKEN,
    api_url: `${quiet.url}/api/`,
  });
  await createNotifier(config, { redactor: testRedaction, clock: systemClock, logger: silentLogger, timeoutMs: 20_000 }).send(
    messageOf(),
    undefined,
    never,
  );
  assert.deepEqual(
    quiet.messages[0]?.blocks.filter(({ type }) => type === 'actions'),
    [],
  );
});

test('a message that somebody deleted is posted anew, with its thread', async () => {
  await using server = await startSlackServer();
  const notifier = notifierOf(server);
  const sent = await notifier.send(messageOf(), undefined, never);
  server.messages.splice(0);
  const again = await notifier.send(messageOf({ revision: 2, state: 'updated' }), sent, never);
  assert.equal(server.messages.length, 3);
  assert.equal(again.ref['ts'], server.messages[0]?.ts);
  assert.equal(server.messages[1]?.thread_ts, again.ref['ts']);
});

test('a process that died in the middle leaves no second message, whatever it had sent', async () => {
  await using server = await startSlackServer();
  const notifier = notifierOf(server);
  for (let round = 0; round < 50; round++) {
    const { incident } = messageOf();
    const message = messageOf({ key: `ops/in-${round}`, incident: { ...incident, id: `in-${round}` } });
    // Posting the thread fails after a different number of messages each time; nothing of it is recorded.
    if (round % 3 === 0) server.fail('conversations.replies', 'internal_error');
    await notifier.send(message, undefined, never);
    if (round % 3 === 1) server.messages.splice(-1);
    if (round % 3 === 2) server.messages.splice(-2);
    server.fail('conversations.replies', null);
    await notifier.send(message, undefined, never);
    await notifier.send(message, undefined, never);
    const own = server.messages.filter(({ metadata }) => metadata?.event_payload.key === message.key);
    assert.equal(own.length, 3);
  }
});

test('an earlier message is found on a later page of a busy channel', async () => {
  await using server = await startSlackServer();
  const notifier = notifierOf(server);
  const sent = await notifier.send(messageOf(), undefined, never);
  for (let i = 0; i < 450; i++)
    server.messages.push({ ts: `${1_770_000_000 + i}.000100`, text: 'somebody talks', blocks: [], edits: 0 });
  assert.equal((await notifier.send(messageOf(), undefined, never)).ref['ts'], sent.ref['ts']);
  assert.equal(server.calls('conversations.history'), 4);
});

test('an app that may not read its channel still tells', async () => {
  await using server = await startSlackServer();
  server.fail('conversations.history', 'missing_scope');
  server.fail('conversations.replies', 'missing_scope');
  const notifier = notifierOf(server);
  await notifier.send(messageOf(), undefined, never);
  assert.equal(server.messages.length, 3);
});

test('content that Slack refuses for a limit of which HELIOS does not know is told in its shortest form', async () => {
  await using server = await startSlackServer();
  const notifier = notifierOf(server);
  const sent = await notifier.send(messageOf({ report: null }), undefined, never);
  assert.ok((server.messages[0]?.blocks.length ?? 0) > 2);
  server.fail('chat.update', 'msg_blocks_too_long');
  await assert.rejects(notifier.send(messageOf({ revision: 2, report: null }), sent, never), { code: 'unavailable' });
  assert.equal(server.calls('chat.update'), 2);
});

test('what only a person can mend is told in one sentence, and everything else is tried again', async () => {
  await using server = await startSlackServer();
  const notifier = notifierOf(server);
  for (const error of [
    'is_archived',
    'not_in_channel',
    'channel_not_found',
    'token_revoked',
    'account_inactive',
    'missing_scope',
  ]) {
    server.fail('chat.postMessage', error);
    await assert.rejects(notifier.send(messageOf(), undefined, never), {
      code: 'invalid_config',
      message: new RegExp(`receiver ops: .*\\(${error}\\)$`),
    });
  }
  for (const error of ['ratelimited', 'internal_error', 'service_unavailable', 'never_heard_of']) {
    server.fail('chat.postMessage', error);
    await assert.rejects(notifier.send(messageOf(), undefined, never), { code: 'unavailable' });
  }
});

test('a message in another channel than the configured one stays there, and a new one is posted', async () => {
  await using server = await startSlackServer();
  const notifier = notifierOf(server);
  const ref = { channel: 'C9999999999', ts: '1.000100' };
  const sent = await notifier.send(messageOf({ revision: 2 }), { ref, revision: 1, state: 'opened' }, never);
  assert.equal(sent.ref['channel'], SLACK_CHANNEL);
  assert.equal(server.messages.length, 3);
});
