import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../../lib/clock.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { createNotifier } from '../create-notifier.ts';
import { actionable, hostileMessage, HOSTILE_TEXTS, messageOf, testRedaction } from '../message.fixture.ts';
import { notifierContract } from '../notifier.contract.ts';
import type { NotifierUnderTest } from '../notifier.contract.ts';
import type { Notifier } from '../notifier.ts';
import { receiverConfigSchema } from '../receiver-config.ts';
import { MAIL_LOGIN, startMailServer } from './mail-server.fixture.ts';
import type { MailServer, ReceivedMail } from './mail-server.fixture.ts';

const never = new AbortController().signal;
const LINK = 'https://helios.example.com/incidents/in-1';
/** The tags that HELIOS writes; whatever else stood between < and > would be telemetry's. */
const OUR_TAGS =
  /<\/?(?:!doctype html|html|body|h2|div|p|b|code|small|a)>|<a href="https:\/\/helios\.example\.com\/incidents\/in-1">/g;
const HEADERS = new Set(
  'from to subject message-id in-reply-to references date mime-version content-type content-transfer-encoding auto-submitted x-auto-response-suppress'.split(
    ' ',
  ),
);

function notifierOf({ port }: MailServer, changed: Record<string, unknown> = {}, timeoutMs = 20_000): Notifier {
  const config = receiverConfigSchema.parse({
    type: 'email',
    name: 'mail',
    smtp_url: `smtp://${MAIL_LOGIN.user}:${MAIL_LOGIN.pass}@127.0.0.1:${port}`,
    require_tls: false,
    from: 'HELIOS <helios@example.com>',
    to: ['oncall@example.com', 'Ops <ops@example.com>'],
    ...changed,
  });
  return createNotifier(config, { redactor: testRedaction, clock: systemClock, logger: silentLogger, timeoutMs });
}

function foreignIn({ headers, text, html }: ReceivedMail): string[] {
  const shown = html
    .replaceAll(OUR_TAGS, ' ')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&lt;', '\u2039')
    .replaceAll('&gt;', '\u203a')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
  return [
    ...[...headers.keys()].filter((name) => !HEADERS.has(name)),
    ...[...shown.matchAll(/<[^>]*>?/g)].map(([match]) => match),
    ...actionable(shown),
    ...actionable(text.replaceAll(LINK, '')),
    ...actionable(headers.get('subject') ?? ''),
  ];
}

async function open(): Promise<NotifierUnderTest> {
  const server = await startMailServer();
  return {
    notifier: notifierOf(server),
    hasty: notifierOf(server, {}, 100),
    stranger: notifierOf(server, { smtp_url: `smtp://helios:wrong@127.0.0.1:${server.port}` }),
    shown: () => server.mails.map(({ headers, text }) => `${headers.get('subject')}\n${text}`),
    actionable: () => server.mails.flatMap((mail) => foreignIn(mail)),
    misbehave: (how) => server.misbehave(how),
    close: () => server[Symbol.asyncDispose](),
  };
}

notifierContract('e-mail', open, { ignores: ['rate_limited'] });

test('mails of one incident are a thread, and a revision that is sent twice has one id', async () => {
  await using server = await startMailServer();
  const notifier = notifierOf(server);
  const first = await notifier.send(messageOf(), undefined, never);
  await notifier.send(messageOf(), undefined, never);
  await notifier.send(messageOf({ revision: 2, state: 'updated' }), first, never);
  const header = (name: string) => server.mails.map(({ headers }) => headers.get(name));
  const [id, again, second] = header('message-id');
  assert.equal(again, id);
  assert.notEqual(second, id);
  assert.deepEqual(header('in-reply-to'), [undefined, undefined, id]);
  const thread = header('references')[0];
  assert.match(thread ?? '', /^<[0-9a-f]{32}@example\.com>$/);
  assert.deepEqual(header('references'), [thread, thread, `${thread} ${id}`]);
  assert.deepEqual(header('subject'), [
    '[HELIOS] high: payment: error_rate',
    '[HELIOS] high: payment: error_rate',
    'Re: [HELIOS] high: payment: error_rate',
  ]);
});

test('a mail goes to those configured and to nobody else, whatever telemetry says', async () => {
  await using server = await startMailServer();
  const notifier = notifierOf(server);
  for (const text of HOSTILE_TEXTS) await notifier.send(hostileMessage(text), undefined, never);
  for (const { from, to, headers } of server.mails) {
    assert.deepEqual({ from, to }, { from: 'helios@example.com', to: ['oncall@example.com', 'ops@example.com'] });
    assert.equal(headers.get('to'), 'oncall@example.com, Ops <ops@example.com>');
  }
  assert.equal(server.mails.length, HOSTILE_TEXTS.length);
});

test('a recipient that the server refuses does not keep the mail from the others, and only refused ones are an error', async () => {
  await using server = await startMailServer();
  await notifierOf(server, { to: ['nobody@example.com', 'ops@example.com'] }).send(messageOf(), undefined, never);
  assert.deepEqual(server.mails[0]?.to, ['ops@example.com']);
  const alone = notifierOf(server, { to: ['nobody@example.com'] });
  await assert.rejects(alone.send(messageOf(), undefined, never), {
    code: 'invalid_config',
    message: /refused login or addresses.*No such user/,
  });
});

test('a password does not go over a connection without TLS unless that is configured', async () => {
  await using server = await startMailServer();
  const notifier = notifierOf(server, { require_tls: undefined });
  await assert.rejects(notifier.send(messageOf(), undefined, never), { code: 'unavailable' });
  assert.deepEqual(server.mails, []);
});
