import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { createPrng } from '../lib/prng.ts';
import { createAdmission } from './admission.ts';
import type { Ticket } from './admission.ts';
import { ClientLedger } from './clients.ts';
import type { Sender } from './handler.ts';
import { PendingBytes } from './pending-bytes.ts';
import { ClientLimits } from './token-bucket.ts';

const KIB = 1024;

function createGate(
  options: { limitBytes?: number; maxInFlight?: number; eventsPerSecond?: number; bytesPerSecond?: number } = {},
) {
  const clock = new ManualClock();
  const pending = new PendingBytes(options.limitBytes ?? 1024 * KIB);
  const ledger = new ClientLedger(clock, silentMetrics);
  const state = { isStopping: false, failure: null as HeliosError | null };
  const admission = createAdmission({
    authorize: () => {
      throw new HeliosError('unauthenticated', 'cannot let the request in: the API key is unknown');
    },
    checkOpen: () => {
      if (state.failure) throw state.failure;
    },
    isStopping: () => state.isStopping,
    limits: new ClientLimits(
      { eventsPerSecond: options.eventsPerSecond ?? 0, bytesPerSecond: options.bytesPerSecond ?? 0, burstMs: 1000 },
      clock,
    ),
    pending,
    ledger,
    clock,
    maxInFlight: options.maxInFlight ?? 512,
  });
  return { admission, pending, ledger, state, clock };
}

const senderOf = (client: string): Sender => ({ client, principal: { id: client, services: null } });
const settlement = (accepted: number) => ({ accepted, rejectedCount: 0, rejections: [], sentBytes: 1 });

test('a greedy client can hold half of the memory at most, and one that comes later still finds room', () => {
  const { admission, pending } = createGate();
  const greedy = Array.from({ length: 200 }, () => admission.admit(senderOf('greedy'), 'http'));
  let refused = 0;
  for (const ticket of greedy) {
    try {
      ticket.reserve(16 * KIB);
    } catch (error) {
      assert.ok(error instanceof HeliosError && error.code === 'overloaded' && error.details.retryAfterSeconds === 1);
      refused++;
    }
  }
  assert.equal(pending.bytes, 512 * KIB);
  assert.equal(refused, 200 - 32);
  using quiet = admission.admit(senderOf('quiet'), 'grpc');
  quiet.reserve(256 * KIB);
  for (const ticket of greedy) ticket[Symbol.dispose]();
  assert.equal(pending.bytes, 256 * KIB, 'the quiet one still holds its own');
});

test('whatever clients do, the bound holds, each holds no more than was free, and nothing stays reserved', () => {
  const seed = 7;
  const prng = createPrng(seed);
  const { admission, pending, ledger } = createGate({ limitBytes: 100 * KIB });
  const open: { client: string; ticket: Ticket }[] = [];
  for (let step = 0; step < 20_000; step++) {
    const client = `client-${prng.below(5)}`;
    if (open.length > 0 && prng.next() < 0.5) open.splice(prng.below(open.length), 1)[0]?.ticket[Symbol.dispose]();
    else open.push({ client, ticket: admission.admit(senderOf(client), 'http') });
    const one = open[prng.below(Math.max(1, open.length))];
    if (!one) continue;
    const before = pending.bytes;
    try {
      one.ticket.reserve(prng.below(20 * KIB));
      const { heldBytes } = ledger.seen(one.client);
      assert.ok(pending.bytes <= 100 * KIB, `seed ${seed}`);
      const isAlone = heldBytes === pending.bytes && ledger.seen(one.client).inFlight === 1;
      assert.ok(isAlone || heldBytes <= 100 * KIB - pending.bytes, `seed ${seed}, step ${step}`);
    } catch (error) {
      assert.ok(error instanceof HeliosError && error.code === 'overloaded', String(error));
      assert.equal(pending.bytes, before, 'a refused reservation reserves nothing');
    }
  }
  for (const { ticket } of open) ticket[Symbol.dispose]();
  assert.equal(pending.bytes, 0);
  assert.ok(ledger.list({ offset: 0, limit: 10 }).items.every(({ heldBytes, inFlight }) => heldBytes === 0 && inFlight === 0));
});

test('a request that is alone may take all the memory there is', () => {
  const { admission } = createGate({ limitBytes: 10 * KIB });
  using ticket = admission.admit(senderOf('a'), 'http');
  ticket.reserve(6 * KIB);
  ticket.reserve(4 * KIB);
  assert.throws(() => ticket.reserve(1), { code: 'overloaded' });
});

test('one client has so many requests in flight and no more, at all doors together', () => {
  const { admission, ledger } = createGate({ maxInFlight: 2 });
  const first = admission.admit(senderOf('a'), 'http');
  using _second = admission.admit(senderOf('a'), 'grpc');
  assert.throws(() => admission.admit(senderOf('a'), 'http'), { code: 'rate_limited', details: { retryAfterSeconds: 1 } });
  using _other = admission.admit(senderOf('b'), 'http');
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  using _third = admission.admit(senderOf('a'), 'http');
  assert.throws(() => admission.admit(senderOf('a'), 'http'), { code: 'rate_limited' });
  const { refused } = ledger.list({ offset: 0, limit: 1, client: 'a' }).items[0] ?? assert.fail();
  assert.deepEqual(refused, [{ code: 'rate_limited', count: 2 }]);
});

test('the token bucket of a client is one for all doors', () => {
  const { admission, clock } = createGate({ eventsPerSecond: 10 });
  {
    using ticket = admission.admit(senderOf('a'), 'http');
    ticket.settle(settlement(20));
  }
  assert.throws(() => admission.admit(senderOf('a'), 'otlp_grpc'), { code: 'rate_limited' });
  admission.admit(senderOf('b'), 'otlp_grpc')[Symbol.dispose]();
  clock.advance(1100);
  admission.admit(senderOf('a'), 'otlp_grpc')[Symbol.dispose]();
});

test('what a failed request sent is charged like that of a good one, once', () => {
  const { admission, clock } = createGate({ bytesPerSecond: 1000 });
  {
    using ticket = admission.admit(senderOf('a'), 'http');
    ticket.reserve(2000);
    ticket.fail(new HeliosError('invalid_encoding', 'cannot decompress the body'));
    ticket.fail(new HeliosError('invalid_encoding', 'cannot decompress the body'));
  }
  assert.throws(() => admission.admit(senderOf('a'), 'http'), { code: 'rate_limited' });
  clock.advance(1001);
  admission.admit(senderOf('a'), 'http')[Symbol.dispose]();
});

test('a stopping process and a failed log let nobody in, and both are counted', () => {
  const { admission, state, ledger } = createGate();
  state.failure = new HeliosError('disk_full', 'cannot append: the disk is full');
  assert.throws(() => admission.admit(senderOf('a'), 'http'), { code: 'disk_full' });
  state.isStopping = true;
  assert.throws(() => admission.admit(senderOf('a'), 'http'), { code: 'shutting_down' });
  const [client] = ledger.list({ offset: 0, limit: 1 }).items;
  assert.deepEqual(client?.refused.map(({ code }) => code).toSorted(), ['disk_full', 'shutting_down']);
  assert.equal(client?.inFlight, 0);
});

test('who is let in by no key is counted under the address', () => {
  const { admission, ledger } = createGate();
  assert.throws(() => admission.identify({}, '10.1.2.3', 'http'), { code: 'unauthenticated' });
  const [stranger] = ledger.list({ offset: 0, limit: 1 }).items;
  assert.deepEqual(
    [stranger?.client, stranger?.peer, stranger?.refused],
    ['', '10.1.2.3', [{ code: 'unauthenticated', count: 1 }]],
  );
});
