import assert from 'node:assert/strict';
import test from 'node:test';
import type { Settlement } from '../clients.ts';
import type { IngestHandler } from '../handler.ts';
import { eventMethods } from './event-service.ts';
import type { AnsweringMethod, MessageContext } from './method.ts';
import { EVENT, methodOf } from './server.fixture.ts';

test('a request that comes again counts as sent, and its records as nothing new', async () => {
  const rejections = [{ index: 1, field: 'level', reason: 'is required' }];
  const verdict = { accepted: 1, rejectedCount: 1, rejections, replayed: true };
  const handler = { acceptEvents: () => Promise.resolve(verdict) } as unknown as IngestHandler;
  const [, publish] = eventMethods(handler, 10)[0] as [string, AnsweringMethod];
  const settled: Settlement[] = [];
  const context = {
    sender: { principal: { id: '', services: null }, client: 'a' },
    headers: {},
    ticket: { reserve() {}, fail() {}, settle: (result: Settlement) => void settled.push(result), [Symbol.dispose]() {} },
    sentBytes: 5,
  } satisfies MessageContext;
  const message = methodOf('helios.v1.EventService/Publish').requestSerialize({ events: [EVENT, EVENT] });
  const answer = methodOf('helios.v1.EventService/Publish').responseDeserialize(
    Buffer.from(await publish.answer(message, context)),
  );
  assert.equal(answer['rejected_count'], 1);
  assert.deepEqual(settled, [{ accepted: 0, rejectedCount: 0, rejections: [], sentBytes: 5 }]);
});
