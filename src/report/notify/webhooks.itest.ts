import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { createNotifier } from './create-notifier.ts';
import { actionable, messageOf, testRedaction } from './message.fixture.ts';
import { notifierContract } from './notifier.contract.ts';
import type { NotifierUnderTest } from './notifier.contract.ts';
import type { Notifier } from './notifier.ts';
import { receiverConfigSchema } from './receiver-config.ts';
import type { ReceiverInput } from './receiver-config.ts';
import { startReceiverServer } from './receiver-server.fixture.ts';
import type { ReceivedRequest, ServedAnswer } from './receiver-server.fixture.ts';
import { slackMarkup, slackText } from './slack/slack-server.fixture.ts';
import type { SlackBlock } from './slack/slack-server.fixture.ts';
import { TEAMS_LIMIT_BYTES } from './teams/adaptive-card.ts';

const never = new AbortController().signal;
const PAGE = /^https:\/\/helios\.example\.com(\/incidents\/in-1)?$/;

function notifierOf(config: ReceiverInput, timeoutMs = 20_000): Notifier {
  const options = { redactor: testRedaction, clock: systemClock, logger: silentLogger, timeoutMs };
  return createNotifier(receiverConfigSchema.parse(config), options);
}

/** A webhook that says what it takes and how it shows what it took. */
interface Webhook {
  answer: (request: ReceivedRequest) => ServedAnswer;
  /** Requests that it took. */
  shown: (taken: ReceivedRequest[]) => string[];
  actionable: (request: ReceivedRequest) => string[];
  config: (url: string) => ReceiverInput;
  stranger?: (url: string) => ReceiverInput;
}

async function openWebhook(webhook: Webhook): Promise<NotifierUnderTest> {
  const taken: ReceivedRequest[] = [];
  const server = await startReceiverServer((request) => {
    const answer = webhook.answer(request);
    if (answer.status < 300) taken.push(request);
    return answer;
  });
  return {
    notifier: notifierOf(webhook.config(server.url)),
    hasty: notifierOf(webhook.config(server.url), 100),
    ...(webhook.stranger && { stranger: notifierOf(webhook.stranger(server.url)) }),
    shown: () => webhook.shown(taken),
    actionable: () => taken.flatMap((request) => webhook.actionable(request)),
    misbehave: (how) => server.misbehave(how),
    async close() {
      await server[Symbol.asyncDispose]();
      const followed = server.requests.some(({ path }) => path.endsWith('/elsewhere'));
      assert.equal(followed, false, 'no redirect is followed');
    },
  };
}

/** Texts of a JSON value, keys left out, without those of `except`. */
function strings(value: unknown, except: readonly string[] = []): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => (except.includes(name) ? [] : strings(inner, except)));
}

interface SlackBody {
  text: string;
  blocks: SlackBlock[];
  unfurl_links: boolean;
}

const slackWebhook: Webhook = {
  answer: ({ path, body }) => {
    if (path !== '/services/T0/B0/xyz') return { status: 404, body: 'no_service' };
    const { text, blocks, unfurl_links: unfurls } = JSON.parse(body) as SlackBody;
    const isGood =
      text !== '' && text.length < 40_000 && blocks.length <= 50 && !unfurls && JSON.stringify(blocks).length < 13_000;
    return isGood ? { status: 200, body: 'ok' } : { status: 400, body: 'invalid_payload' };
  },
  shown: (taken) => taken.map(({ body }) => slackText(JSON.parse(body) as SlackBody)),
  actionable: ({ body }) => {
    const message = JSON.parse(body) as SlackBody;
    const isOurs = (markup: string): boolean =>
      /^<https:\/\/helios\.example\.com\/incidents\/in-1\|Open in HELIOS>$/.test(markup);
    return [...slackMarkup(message).filter((markup) => !isOurs(markup)), ...actionable(slackText(message))];
  },
  config: (url) => ({ type: 'slack_webhook', name: 'chat', url: `${url}/services/T0/B0/xyz` }),
  stranger: (url) => ({ type: 'slack_webhook', name: 'chat', url: `${url}/services/T0/B0/gone` }),
};

notifierContract('slack webhook', () => openWebhook(slackWebhook));

interface PagerdutyEvent {
  routing_key: string;
  event_action: 'trigger' | 'acknowledge' | 'resolve';
  dedup_key: string;
  payload?: { summary: string; source: string; severity: string; timestamp: string };
  links?: { href: string }[];
  client_url?: string;
}
const ROUTING_KEY = 'a'.repeat(32);

function pagerdutyProblem(body: string): string | undefined {
  if (Buffer.byteLength(body) > 512 * 1024) return 'too large';
  const { routing_key: key, event_action: action, dedup_key: dedup, payload } = JSON.parse(body) as PagerdutyEvent;
  if (key !== ROUTING_KEY) return 'invalid routing key';
  if (dedup.length > 255 || dedup === '') return 'dedup_key';
  if (action !== 'trigger') return undefined;
  if (!payload || payload.summary === '' || payload.summary.length > 1024 || payload.source === '') return 'payload';
  if (Number.isNaN(Date.parse(payload.timestamp))) return 'timestamp';
  return ['critical', 'error', 'warning', 'info'].includes(payload.severity) ? undefined : 'severity';
}

/** Alerts by their key, each as it was triggered last and what was done to it. */
function alertsOf(taken: ReceivedRequest[]): string[] {
  const alerts = new Map<string, string>();
  for (const { body } of taken) {
    const { dedup_key: key, event_action: action, payload } = JSON.parse(body) as PagerdutyEvent;
    if (action === 'trigger') alerts.set(key, strings(payload).join('\n'));
    else if (alerts.has(key)) alerts.set(key, `${alerts.get(key)}\n${action}`);
  }
  return [...alerts.values()];
}

const pagerduty: Webhook = {
  answer: ({ body }) => {
    const problem = pagerdutyProblem(body);
    const told = { status: 'invalid event', message: 'Event object is invalid', errors: [problem] };
    return problem === undefined
      ? { status: 202, body: JSON.stringify({ status: 'success', message: 'Event processed' }) }
      : { status: 400, body: JSON.stringify(told) };
  },
  shown: alertsOf,
  actionable: ({ body }) => {
    const { links = [], client_url: page = '', payload } = JSON.parse(body) as PagerdutyEvent;
    const addresses = [...links.map(({ href }) => href), page].filter((address) => address !== '' && !PAGE.test(address));
    return [...addresses, ...strings(payload).flatMap((text) => actionable(text))];
  },
  config: (url) => ({ type: 'pagerduty', name: 'pager', routing_key: ROUTING_KEY, url: `${url}/v2/enqueue` }),
  stranger: (url) => ({ type: 'pagerduty', name: 'pager', routing_key: 'b'.repeat(32), url: `${url}/v2/enqueue` }),
};

notifierContract('pagerduty', () => openWebhook(pagerduty), { actions: true });

interface AlertmanagerBody {
  version: string;
  groupKey: string;
  status: string;
  receiver: string;
  commonAnnotations: Record<string, string>;
  groupLabels: Record<string, string>;
  externalURL: string;
  alerts: {
    status: string;
    labels: Record<string, string>;
    startsAt: string;
    endsAt: string;
    generatorURL: string;
    fingerprint: string;
  }[];
}

const alertmanager: Webhook = {
  answer: ({ headers, body }) => {
    if (headers.authorization !== 'Bearer letmein') return { status: 401, body: '' };
    const { version, alerts } = JSON.parse(body) as AlertmanagerBody;
    const isGood =
      version === '4' && alerts.every(({ labels, fingerprint: print }) => labels['alertname'] && /^[0-9a-f]{16}$/.test(print));
    return { status: isGood ? 200 : 400, body: '' };
  },
  shown: (taken) =>
    [...new Map(taken.map(({ body }) => [(JSON.parse(body) as AlertmanagerBody).groupKey, body])).values()].map((body) =>
      strings(JSON.parse(body)).join('\n'),
    ),
  actionable: ({ body }) => {
    const { commonAnnotations, externalURL, alerts } = JSON.parse(body) as AlertmanagerBody;
    const { incident_url: page = '', ...said } = commonAnnotations;
    const addresses = [page, externalURL, ...alerts.map(({ generatorURL }) => generatorURL)];
    // Labels are data that receivers match, as they are with Alertmanager.
    return [...addresses.filter((url) => url !== '' && !PAGE.test(url)), ...strings(said).flatMap((text) => actionable(text))];
  },
  config: (url) => ({ type: 'alertmanager', name: 'hook', url, authorization: 'Bearer letmein', hmac_secret: 'shared' }),
  stranger: (url) => ({ type: 'alertmanager', name: 'hook', url, authorization: 'Bearer me' }),
};

notifierContract('alertmanager webhook', () => openWebhook(alertmanager), { ignores: ['garbage', 'endless'] });

interface TeamsBody {
  type: string;
  attachments: {
    contentType: string;
    content: {
      type: string;
      body: { type: string; inlines: { type: string; text: string }[] }[];
      actions?: { type: string; url: string }[];
    };
  }[];
}

function cardOf({ body }: ReceivedRequest) {
  return (JSON.parse(body) as TeamsBody).attachments[0]?.content;
}

const teams: Webhook = {
  answer: (request) => {
    if (request.path !== '/workflows/1?sig=abc') return { status: 401, body: '' };
    if (Buffer.byteLength(request.body) > TEAMS_LIMIT_BYTES) return { status: 413, body: 'Request Entity too large' };
    const isGood = (JSON.parse(request.body) as TeamsBody).type === 'message' && cardOf(request)?.type === 'AdaptiveCard';
    return { status: isGood ? 202 : 400, body: '' };
  },
  shown: (taken) =>
    taken.map((request) =>
      (cardOf(request)?.body ?? []).map(({ inlines }) => inlines.map(({ text }) => text).join('')).join('\n'),
    ),
  actionable: (request) => {
    const { body = [], actions = [] } = cardOf(request) ?? {};
    // A TextBlock would be read as Markdown, and entities are what makes a mention.
    const others = body.filter(
      ({ type, inlines }) => type !== 'RichTextBlock' || inlines.some((inline) => inline.type !== 'TextRun'),
    );
    const texts = body.flatMap(({ inlines }) => inlines.flatMap(({ text }) => actionable(text)));
    const isOurs = ({ type, url }: { type: string; url: string }): boolean => type === 'Action.OpenUrl' && PAGE.test(url);
    return [...others.map(({ type }) => type), ...actions.filter((action) => !isOurs(action)).map(({ url }) => url), ...texts];
  },
  config: (url) => ({ type: 'teams', name: 'team', url: `${url}/workflows/1?sig=abc` }),
  stranger: (url) => ({ type: 'teams', name: 'team', url: `${url}/workflows/1?sig=abd` }),
};

notifierContract('teams', () => openWebhook(teams), { ignores: ['garbage', 'endless'] });

test('a webhook is signed over its time and body', async () => {
  await using server = await startReceiverServer(() => ({ status: 200, body: '' }));
  await notifierOf({ type: 'alertmanager', name: 'hook', url: server.url, hmac_secret: 'shared' }).send(
    messageOf(),
    undefined,
    never,
  );
  const { headers, body } = server.requests[0] as ReceivedRequest;
  const expected = createHmac('sha256', 'shared')
    .update(`${String(headers['x-helios-timestamp'])}.${body}`)
    .digest('hex');
  assert.equal(headers['x-helios-signature'], `sha256=${expected}`);
});

test('a webhook has the shape of version 4, one alert a service', async () => {
  await using server = await startReceiverServer(() => ({ status: 200, body: '' }));
  const { incident } = messageOf();
  const notifier = notifierOf({ type: 'alertmanager', name: 'hook', url: server.url });
  await notifier.send(messageOf(), undefined, never);
  const resolvedAt = '2025-10-08T10:52:40.000Z';
  await notifier.send(
    messageOf({ revision: 2, state: 'resolved', incident: { ...incident, status: 'resolved', resolvedAt } }),
    undefined,
    never,
  );
  const [firing, resolved] = server.requests.map(({ body }) => JSON.parse(body) as AlertmanagerBody);
  assert.ok(firing && resolved);
  assert.deepEqual(
    [firing.version, firing.status, firing.receiver, firing.groupKey],
    ['4', 'firing', 'hook', '{}:{incident="in-1"}'],
  );
  assert.deepEqual(
    firing.alerts.map(({ labels, status, endsAt }) => [labels['service'], labels['environment'], status, endsAt]),
    [
      ['payment', 'prod', 'firing', '0001-01-01T00:00:00Z'],
      ['checkout', 'prod', 'firing', '0001-01-01T00:00:00Z'],
    ],
  );
  assert.equal(resolved.status, 'resolved');
  assert.deepEqual(
    resolved.alerts.map(({ status, endsAt, fingerprint }) => [status, endsAt, fingerprint]),
    firing.alerts.map(({ fingerprint }) => ['resolved', resolvedAt, fingerprint]),
  );
});

test('messages of a webhook say that it cannot take them back', async () => {
  await using server = await startReceiverServer(() => ({ status: 200, body: 'ok' }));
  await notifierOf({ type: 'slack_webhook', name: 'chat', url: server.url }).send(messageOf({ revision: 3 }), undefined, never);
  assert.match(server.requests[0]?.body ?? '', /Update 3, sent by webhook: at least once/);
});

test('an event that PagerDuty does not take for what is in it is told without it', async () => {
  const sizes: number[] = [];
  await using server = await startReceiverServer(({ body }) => {
    sizes.push(body.length);
    const isBare = !body.includes('custom_details');
    return isBare ? { status: 202, body: '{"status":"success"}' } : { status: 400, body: '{"status":"invalid event"}' };
  });
  await notifierOf({ type: 'pagerduty', name: 'pager', routing_key: ROUTING_KEY, url: server.url }).send(
    messageOf(),
    undefined,
    never,
  );
  assert.equal(sizes.length, 2);
  assert.match(server.requests[1]?.body ?? '', /"summary":"HELIOS incident in-1"/);
});

test('a webhook that is not there for a while is tried again, one that says that it is gone is not', async () => {
  let status = 404;
  await using server = await startReceiverServer(() => ({ status, body: 'no' }));
  const notifier = notifierOf({ type: 'alertmanager', name: 'hook', url: server.url });
  for (status of [404, 400, 408, 409, 425, 502, 503]) {
    await assert.rejects(notifier.send(messageOf(), undefined, never), { code: 'unavailable' }, String(status));
  }
  for (status of [401, 403, 410]) {
    await assert.rejects(notifier.send(messageOf(), undefined, never), { code: 'invalid_config' }, String(status));
  }
});
