import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'node:test';
import { temporaryDirectory } from '../../bench/server-process.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { silentMetrics } from '../../src/lib/metrics.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Incident } from '../../src/model/incident.ts';
import { openIncident } from '../../src/report/notify/delivery.fixture.ts';
import { reportOf } from '../../src/report/notify/message.fixture.ts';
import { startReceiverServer } from '../../src/report/notify/receiver-server.fixture.ts';
import type { ReceivedRequest, ReceiverServer } from '../../src/report/notify/receiver-server.fixture.ts';
import { SLACK_CHANNEL, SLACK_TOKEN, slackText, startSlackServer } from '../../src/report/notify/slack/slack-server.fixture.ts';
import type { SlackServer } from '../../src/report/notify/slack/slack-server.fixture.ts';
import { openStoreWriter } from '../../src/store/embedded/store-writer.ts';
import { storeConfigSchema } from '../../src/store/config.ts';
import { KILL_POINTS } from './delivery-order.fixture.ts';
import type { DeliveryAnswer, DeliveryOrder, DeliveryProcessOptions, KillPoint } from './delivery-order.fixture.ts';

const KILLS = 50;
const SEED = 20_251_008;
const PATIENCE_MS = 60_000;
const RECEIVERS = ['chat', 'pager', 'hook'] as const;
/** Longest that a point lasts: a message to Slack is several requests, a record one transaction. */
const LASTING_MS = { before_send: 0, during_send: 30, after_send: 0, during_record: 3 };

interface Outside extends AsyncDisposable {
  slack: SlackServer;
  pager: ReceiverServer;
  hook: ReceiverServer;
}

async function startOutside(): Promise<Outside> {
  const accepted = (status: number, body: string) => () => ({ status, body, headers: { 'content-type': 'application/json' } });
  const [slack, pager, hook] = await Promise.all([
    startSlackServer(),
    startReceiverServer(accepted(202, '{"status":"success","message":"Event processed","dedup_key":"x"}')),
    startReceiverServer(accepted(200, '{}')),
  ]);
  return {
    slack,
    pager,
    hook,
    async [Symbol.asyncDispose]() {
      await Promise.all([slack, pager, hook].map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

function notifyOf({ slack, pager, hook }: Outside): DeliveryProcessOptions['notify'] {
  return {
    receivers: [
      { name: 'chat', type: 'slack', channel: SLACK_CHANNEL, token: SLACK_TOKEN, api_url: `${slack.url}/api/` },
      { name: 'pager', type: 'pagerduty', routing_key: 'of the test', url: `${pager.url}/v2/enqueue` },
      { name: 'hook', type: 'alertmanager', url: `${hook.url}/hook` },
    ],
    group_wait: '10ms',
    update_interval: '10ms',
    max_messages_per_hour: 1000,
  };
}

class DeliveryProcess {
  readonly #child: ChildProcess;
  readonly #answers: DeliveryAnswer[] = [];
  readonly #died: Promise<unknown>;
  #onAnswer: () => void = () => {};

  constructor(options: DeliveryProcessOptions) {
    const file = join(import.meta.dirname, 'delivery-process.fixture.ts');
    this.#child = fork(file, [JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#died = once(this.#child, 'exit');
    this.#child.on('message', (answer: DeliveryAnswer) => {
      this.#answers.push(answer);
      this.#onAnswer();
    });
  }

  async answer(wanted: DeliveryAnswer, why = 'at its start'): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (!this.#answers.includes(wanted)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onAnswer = resolve;
      const late = once(signal, 'abort').then(() => assert.fail(`no "${wanted}" of the process, ${why}`));
      await Promise.race([promise, late, this.#died.then(() => assert.fail(`the process died before "${wanted}", ${why}`))]);
    }
    this.#answers.splice(this.#answers.indexOf(wanted), 1);
  }

  order(order: DeliveryOrder): void {
    this.#child.send(order);
  }

  async killed(): Promise<void> {
    const late = once(AbortSignal.timeout(PATIENCE_MS), 'abort').then(() => assert.fail('the process lives on'));
    const [, signal] = (await Promise.race([this.#died, late])) as [number | null, string | null];
    assert.equal(signal, 'SIGKILL');
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#died;
  }
}

/** Of each incident in turn: opened, acknowledged, resolved. */
function stageOf(round: number): Incident {
  const at = new Date(Date.UTC(2025, 9, 8, 12, 0, round)).toISOString();
  const changed: Partial<Incident>[] = [
    {},
    { status: 'acknowledged', acknowledgedAt: at, acknowledgedBy: 'ada' },
    { status: 'resolved', acknowledgedAt: at, acknowledgedBy: 'ada', resolvedAt: at },
  ];
  return openIncident(`in-${Math.floor(round / 3) + 1}`, { updatedAt: at, ...changed[round % 3] });
}

function killPlan(): KillPoint[] {
  const prng = createPrng(SEED);
  return Array.from({ length: KILLS }, (_, round) => {
    const receiver = RECEIVERS[round % RECEIVERS.length] ?? 'chat';
    const point = KILL_POINTS[prng.below(KILL_POINTS.length)] ?? 'before_send';
    return { receiver, point, afterMs: prng.next() * LASTING_MS[point] };
  });
}

interface PagerEvent {
  dedup_key: string;
  event_action: 'trigger' | 'acknowledge' | 'resolve';
}

/** What PagerDuty makes of events: alerts opened by a key, and how the last one stands. */
function alertsOf({ requests }: ReceiverServer, key: string): { opened: number; state: string } {
  const alert = { opened: 0, state: 'none' };
  for (const { dedup_key: other, event_action: action } of requests.map(({ body }) => JSON.parse(body) as PagerEvent)) {
    if (other !== key) continue;
    const isOpen = alert.state === 'triggered' || alert.state === 'acknowledged';
    if (action === 'trigger' && !isOpen) Object.assign(alert, { opened: alert.opened + 1, state: 'triggered' });
    if (action === 'acknowledge' && isOpen) alert.state = 'acknowledged';
    if (action === 'resolve' && isOpen) alert.state = 'resolved';
  }
  return alert;
}

function hooksOf({ requests }: ReceiverServer, id: string): ReceivedRequest[] {
  return requests.filter(({ body }) => (JSON.parse(body) as { groupLabels: { incident: string } }).groupLabels.incident === id);
}

/** Holds what each receiver has against what it should have. */
function check(outside: Outside, { id, status }: Incident, why: string): void {
  const { slack, pager, hook } = outside;
  const ofChat = slack.messages.filter(({ metadata }) => metadata?.event_payload.key === `chat/${id}`);
  const roots = ofChat.filter(({ metadata }) => metadata?.event_type === 'helios_incident');
  assert.equal(roots.length, 1, `${why}: ${roots.length} messages of ${id} in Slack`);
  const words = { open: /Open/, acknowledged: /Acknowledged/, resolved: /Resolved/ };
  assert.match(slackText(roots[0] as (typeof roots)[0]), words[status], why);
  const parts = ofChat.map(({ metadata }) => metadata?.event_type);
  assert.equal(new Set(parts).size, parts.length, `${why}: a part of the thread is there twice: ${parts.join(', ')}`);
  const states = { open: 'triggered', acknowledged: 'acknowledged', resolved: 'resolved' };
  assert.deepEqual(alertsOf(pager, `pager/${id}`), { opened: 1, state: states[status] }, why);
  const last = hooksOf(hook, id).at(-1);
  assert.ok(last, `${why}: no webhook of ${id}`);
  const body = JSON.parse(last.body) as { status: string; commonAnnotations: { summary: string } };
  assert.equal(body.status, status === 'resolved' ? 'resolved' : 'firing', why);
  if (status === 'acknowledged') assert.match(last.body, /Acknowledged/, why);
}

test(`a process that is killed ${KILLS} times around its sends tells everybody every state, in Slack and PagerDuty once`, async (t) => {
  using directory = temporaryDirectory();
  await using outside = await startOutside();
  const config = storeConfigSchema.parse({});
  const common = { clock: systemClock, logger: silentLogger, metrics: silentMetrics };
  await (await openStoreWriter({ dir: directory.path, config, ...common }))[Symbol.asyncDispose]();
  const options = { dir: directory.path, notify: notifyOf(outside), expected: null };
  let process = new DeliveryProcess(options);
  let hooks = 0;
  try {
    await process.answer('ready');
    for (const [round, kill] of killPlan().entries()) {
      const incident = stageOf(round);
      const why = `seed ${SEED}, round ${round}, ${kill.receiver} ${kill.point} after ${kill.afterMs.toFixed(2)} ms`;
      process.order({
        incident,
        report: reportOf('pool exhausted', 5, { incidentId: incident.id, version: (round % 3) + 1 }),
        kill,
      });
      await process.killed();
      process = new DeliveryProcess({ ...options, expected: incident });
      await process.answer('ready');
      await process.answer('in step', why);
      check(outside, incident, why);
      if (round % 3 === 2 || round === KILLS - 1) hooks += (round % 3) + 1;
    }
  } finally {
    await process.end();
  }
  const told = outside.hook.requests.length;
  assert.ok(told >= hooks);
  t.diagnostic(
    `${KILLS} kills: ${outside.slack.messages.length} messages in Slack, ${outside.pager.requests.length} events to PagerDuty`,
  );
  t.diagnostic(`${told} webhooks for ${hooks} states: ${told - hooks} told twice`);
});
