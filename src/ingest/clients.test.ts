import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Metrics } from '../lib/metrics.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { ClientLedger } from './clients.ts';
import { CLIENTS_EVICTED } from './metrics.ts';

const ALL = { offset: 0, limit: 1000 };
const limited = new HeliosError('rate_limited', 'cannot take the request: the client is over its rate');

test('a client is told what was accepted, rejected by reason and refused by code, and its last error at each door', () => {
  const clock = new ManualClock(1_760_000_000_000);
  const ledger = new ClientLedger(clock, silentMetrics);
  const entry = ledger.seen('shop');
  entry.settle({ accepted: 3, rejectedCount: 0, rejections: [], sentBytes: 300 });
  const rejections = [
    { index: 0, field: 'level', reason: 'is required' },
    { index: 1, field: 'service', reason: 'must not be empty' },
    { index: 2, field: 'level', reason: 'is required' },
  ];
  entry.settle({ accepted: 1, rejectedCount: 5, rejections, sentBytes: 100 });
  clock.advance(1000);
  ledger.seen('shop').refuse('http', limited, clock.nowMs());
  entry.refuse('grpc', limited, clock.nowMs());
  const { items, nextCursor } = ledger.list({ ...ALL, client: 'shop' });
  assert.equal(nextCursor, null);
  const { lastErrors, ...counts } = items[0] ?? assert.fail('no such client');
  assert.deepEqual(counts, {
    client: 'shop',
    peer: null,
    firstSeen: '2025-10-09T08:53:20.000Z',
    lastSeen: '2025-10-09T08:53:21.000Z',
    requests: 2,
    accepted: 4,
    bytes: 400,
    rejected: 5,
    rejectedBy: [
      { field: 'level', reason: 'is required', count: 2 },
      { field: 'other', reason: 'other', count: 2 },
      { field: 'service', reason: 'must not be empty', count: 1 },
    ],
    refused: [{ code: 'rate_limited', count: 2 }],
    inFlight: 0,
    heldBytes: 0,
  });
  assert.deepEqual(
    lastErrors.map(({ door, code, at }) => [door, code, at]),
    [
      ['http', 'rate_limited', counts.lastSeen],
      ['grpc', 'rate_limited', counts.lastSeen],
    ],
  );
});

test('reasons beyond those that are told apart are counted together, and none is lost', () => {
  const ledger = new ClientLedger(new ManualClock(), silentMetrics);
  const entry = ledger.seen('c');
  const rejections = Array.from({ length: 100 }, (_, index) => ({ index, field: `field${index}`, reason: 'is wrong' }));
  entry.settle({ accepted: 0, rejectedCount: 100, rejections, sentBytes: 1 });
  const { rejectedBy = [] } = ledger.list(ALL).items[0] ?? {};
  assert.ok(rejectedBy.length <= 16, String(rejectedBy.length));
  assert.equal(
    rejectedBy.reduce((sum, { count }) => sum + count, 0),
    100,
  );
  assert.equal(rejectedBy[0]?.field, 'other');
});

test('of too many clients those seen longest ago are dropped and counted, but none with a request in flight', () => {
  const clock = new ManualClock();
  let evicted = 0;
  const metrics: Metrics = { ...silentMetrics, add: (definition, n) => void (evicted += definition === CLIENTS_EVICTED ? n : 0) };
  const ledger = new ClientLedger(clock, metrics);
  ledger.seen('busy').inFlight = 1;
  for (let i = 0; i < 10_100; i++) {
    clock.advance(1);
    ledger.seen(`client-${i}`);
  }
  const names = new Set<string>();
  for (let cursor: string | null = '0'; cursor !== null;) {
    const page = ledger.list({ offset: Number(cursor), limit: 1000 });
    for (const { client } of page.items) names.add(client);
    cursor = page.nextCursor;
  }
  assert.ok(names.size <= 10_000);
  assert.equal(names.size + evicted, 10_101);
  assert.ok(names.has('busy') && names.has('client-10099') && !names.has('client-0'));
});

test('those whom no key let in are listed by their address, apart from clients, and bounded', () => {
  const clock = new ManualClock();
  const ledger = new ClientLedger(clock, silentMetrics);
  const error = new HeliosError('unauthenticated', 'cannot let the request in: the API key is unknown');
  for (let i = 0; i < 5000; i++) ledger.stranger(`10.0.0.${i}`).refuse('http', error, clock.nowMs());
  ledger.seen('10.0.0.1');
  const strangers = ledger.list({ ...ALL, limit: 10_000, client: '' }).items;
  assert.ok(strangers.length > 0 && strangers.length <= 1000);
  assert.ok(strangers.every(({ peer, refused }) => peer !== null && refused[0]?.code === 'unauthenticated'));
});
