import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { POISON_CORPUS } from '../llm/poison-corpus.fixture.ts';
import { hostileMessage, HOSTILE_TEXTS, messageOf, reportOf } from './message.fixture.ts';
import type { Message, Notifier, Sent } from './notifier.ts';
import type { Misbehaviour } from './receiver-server.fixture.ts';

/** A receiver as people see it, and a notifier that sends to it by `testRedaction`. It refuses what the real one refuses. */
export interface NotifierUnderTest {
  notifier: Notifier;
  /** The same with hardly any patience. */
  hasty: Notifier;
  /** What a person finds there now: the text of each message, oldest first. */
  shown: () => string[];
  /** Links and mentions in it that are not HELIOS's own. */
  actionable: () => string[];
  misbehave: (how: Misbehaviour | null) => void;
  /** A notifier whose secret the receiver does not know; absent: it has no secret. */
  stranger?: Notifier;
  close: () => PromiseLike<void>;
}

export interface ContractTraits {
  /** Bad answers that mean nothing there: whoever takes webhooks of everybody may answer anything with a good status. */
  ignores?: readonly Misbehaviour[];
  /** It is told of an acknowledgement or an end by an action, not by words. */
  actions?: boolean;
}

/** Which of them only patience ends. */
const ENDLESS: ReadonlySet<Misbehaviour> = new Set(['slow', 'endless']);
const AT_ONCE = 25;

const never = new AbortController().signal;
const at = '2025-10-08T10:33:00.000Z';

function acknowledged(message: Message): Message {
  const incident = { ...message.incident, status: 'acknowledged' as const, acknowledgedAt: at, acknowledgedBy: 'Ada' };
  return { ...message, revision: message.revision + 1, state: 'acknowledged', incident };
}

function resolved(message: Message): Message {
  const incident = { ...message.incident, status: 'resolved' as const, resolvedAt: '2025-10-08T10:52:40.000Z' };
  return { ...message, revision: message.revision + 1, state: 'resolved', incident };
}

/** The same of another incident. */
function numbered(message: Message, number: number): Message {
  return { ...message, key: `receiver/in-${number}`, incident: { ...message.incident, id: `in-${number}` } };
}

function isUnavailable(error: unknown): boolean {
  assert.ok(error instanceof HeliosError, String(error));
  assert.equal(error.code, 'unavailable', error.message);
  // Addresses of webhooks are secrets.
  assert.doesNotMatch(error.message, /:\/\//);
  return true;
}

type Check = (under: NotifierUnderTest) => Promise<void>;
type Run = (title: string, check: Check) => void;

/** What each notifier has to pass against a server that behaves as its receiver does. */
export function notifierContract(name: string, open: () => Promise<NotifierUnderTest>, traits: ContractTraits = {}): void {
  const run: Run = (title, check) => {
    test(`${name}: ${title}`, async () => {
      const under = await open();
      try {
        await check(under);
      } finally {
        await under.close();
      }
    });
  };
  lifeTests(run, traits);
  repeatTests(run);
  badDayTests(run, traits);
  textTests(run);
}

function lifeTests(run: Run, { actions = false }: ContractTraits): void {
  run('an incident is opened, updated, acknowledged and resolved', async ({ notifier, shown }) => {
    const { edit } = notifier.supports;
    const opened = messageOf();
    let sent: Sent = await notifier.send(opened, undefined, never);
    assert.deepEqual({ revision: sent.revision, state: sent.state }, { revision: 1, state: 'opened' });
    assert.deepEqual(JSON.parse(JSON.stringify(sent)), sent);
    assert.ok(Number.isFinite(Date.parse(sent.ref['at'] ?? '')));
    assert.equal(shown().length, 1);
    for (const word of ['payment', 'checkout', 'high', 'in-1', 'LIKELY']) assert.match(shown()[0] as string, new RegExp(word));
    const updated = { ...opened, revision: 2, state: 'updated' as const, report: reportOf('pool exhausted', 3, { version: 7 }) };
    sent = await notifier.send(updated, sent, never);
    assert.equal(shown().length, edit ? 1 : 2);
    assert.match(shown().at(-1) as string, /pool exhausted/);
    sent = await notifier.send(acknowledged(updated), sent, never);
    assert.match(shown().at(-1) as string, actions ? /acknowledge/ : /Acknowledged.*by Ada/s);
    sent = await notifier.send(resolved(acknowledged(updated)), sent, never);
    assert.match(shown().at(-1) as string, actions ? /resolve/ : /Resolved.*after 22 min/s);
    assert.equal(sent.revision, 4);
    assert.equal(sent.state, 'resolved');
    assert.equal(shown().length, edit ? 1 : 4);
  });

  run('an incident without a report, cause or service is told', async ({ notifier, shown }) => {
    const { incident } = messageOf();
    const bare = { ...incident, title: '', services: [], causes: [], anomalyIds: [] };
    await notifier.send(messageOf({ report: null, url: null, incident: bare, labels: {} }), undefined, never);
    assert.equal(shown().length, 1);
    assert.match(shown()[0] as string, /no report yet/);
  });

  run('a message says how many incidents it stands for', async ({ notifier, shown }) => {
    await notifier.send(messageOf({ grouped: 12 }), undefined, never);
    assert.match(shown()[0] as string, /12 more incidents/);
  });
}

function repeatTests(run: Run): void {
  run(
    'a message whose sending was not recorded is told again, as the same one where that can be',
    async ({ notifier, shown }) => {
      const message = messageOf();
      const first = await notifier.send(message, undefined, never);
      const again = await notifier.send(message, undefined, never);
      assert.ok(notifier.supports.dedup ? shown().length === 1 : shown().length >= 1);
      const { at: _, ...ref } = first.ref;
      const { at: __, ...sameRef } = again.ref;
      assert.deepEqual(sameRef, ref);
      await notifier.send({ ...message, revision: 2, state: 'updated' }, undefined, never);
      if (notifier.supports.dedup) assert.equal(shown().length, 1);
    },
  );

  run('two incidents are two messages', async ({ notifier, shown }) => {
    await notifier.send(messageOf(), undefined, never);
    await notifier.send(numbered(messageOf(), 2), undefined, never);
    assert.equal(shown().length, 2);
  });
}

function badDayTests(run: Run, { ignores = [] }: ContractTraits): void {
  const days: Misbehaviour[] = ['rate_limited', 'failing', 'slow', 'garbage', 'page', 'redirect', 'endless', 'hang_up'];
  for (const day of days.filter((each) => !ignores.includes(each))) {
    run(
      `a receiver that is ${day.replace('_', ' ')} is unavailable, and then told`,
      async ({ notifier, hasty, misbehave, shown }) => {
        misbehave(day);
        let failure: HeliosError | undefined;
        await assert.rejects((ENDLESS.has(day) ? hasty : notifier).send(messageOf(), undefined, never), (error) => {
          failure = error as HeliosError;
          return isUnavailable(error);
        });
        if (day === 'rate_limited') assert.equal(failure?.details['retryAfterMs'], 7000);
        misbehave(null);
        await notifier.send(messageOf(), undefined, never);
        assert.equal(shown().length, 1);
      },
    );
  }

  run('a send that is given up ends with the reason for it', async ({ notifier, misbehave }) => {
    misbehave('slow');
    const control = new AbortController();
    const sending = notifier.send(messageOf(), undefined, control.signal);
    control.abort(new Error('the process stops'));
    await assert.rejects(sending, /the process stops/);
    await assert.rejects(notifier.send(messageOf(), undefined, control.signal), /the process stops/);
  });

  run('a secret that the receiver does not know is a matter of configuration', async ({ stranger, shown }) => {
    if (stranger === undefined) return;
    await assert.rejects(stranger.send(messageOf(), undefined, never), { code: 'invalid_config' });
    assert.deepEqual(shown(), []);
  });
}

function textTests(run: Run): void {
  run('a report of any size and any text fits', async ({ notifier, shown, actionable }) => {
    const { incident } = messageOf();
    const services = Array.from({ length: 500 }, (_, i) => `service-${i}-${'x'.repeat(90)}`);
    for (const text of ['A long line of a log. '.repeat(50_000), '&<>"'.repeat(2000), '\u{1f525}'.repeat(3000), '']) {
      const causes = incident.causes.map((cause) => ({ ...cause, reason: text }));
      const message = messageOf({ incident: { ...incident, title: text, services, causes }, report: reportOf(text, 400) });
      await notifier.send(numbered(message, text.length), undefined, never);
    }
    assert.equal(shown().length, 4);
    for (const text of shown()) assert.ok(text.isWellFormed());
    assert.deepEqual(actionable(), []);
  });

  run('no text of telemetry becomes a link or a mention', async ({ notifier, shown, actionable }) => {
    const texts = [...HOSTILE_TEXTS, ...POISON_CORPUS.map(({ line }) => line)];
    const messages = texts.map((text, index) => numbered(hostileMessage(text), index));
    for (let from = 0; from < texts.length; from += AT_ONCE) {
      await Promise.all(messages.slice(from, from + AT_ONCE).map((message) => notifier.send(message, undefined, never)));
    }
    assert.deepEqual(actionable(), []);
    const told = shown();
    assert.equal(told.length, texts.length);
    const secrets = POISON_CORPUS.filter(({ category }) => category === 'secret').flatMap(({ mustNotAppear }) => mustNotAppear);
    for (const secret of secrets) assert.ok(!told.some((text) => text.includes(secret)), secret);
  });

  run('secrets stay at home, and what cannot be redacted is left out', async ({ notifier, shown }) => {
    await notifier.send(hostileMessage('refused: password=hunter2-Winter-99'), undefined, never);
    assert.match(shown()[0] as string, /\[secret:/);
    assert.doesNotMatch(shown()[0] as string, /hunter2/);
    await notifier.send(numbered(hostileMessage('an unspeakable text'), 2), undefined, never);
    assert.match(shown()[1] as string, /withheld/);
    assert.doesNotMatch(shown()[1] as string, /unspeakable/);
  });
}
