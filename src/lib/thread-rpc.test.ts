import assert from 'node:assert/strict';
import test from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { HeliosError } from './errors.ts';
import { RpcClient, serveCalls } from './thread-rpc.ts';

test('calls cross a port and come back with their values, also out of order', async () => {
  const { port1, port2 } = new MessageChannel();
  const gate = Promise.withResolvers<void>();
  serveCalls(port1, {
    slow: async (x: number) => {
      await gate.promise;
      return x;
    },
    fast: (x: number) => x + 1,
  });
  const client = new RpcClient(port2);
  const slow = client.call<number>('slow', 1);
  assert.equal(await client.call<number>('fast', 1), 2);
  gate.resolve();
  assert.equal(await slow, 1);
  port1.close();
});

test('a HeliosError arrives as one, any other failure as an Error, an unknown method is one', async () => {
  const { port1, port2 } = new MessageChannel();
  serveCalls(port1, {
    known: () => {
      throw new HeliosError('gone', 'cannot page: too old', { details: { field: 'cursor' } });
    },
    bug: () => {
      throw new TypeError('oops');
    },
  });
  const client = new RpcClient(port2);
  await assert.rejects(
    client.call('known'),
    (error) => error instanceof HeliosError && error.code === 'gone' && error.details.field === 'cursor',
  );
  await assert.rejects(client.call('bug'), /oops/);
  await assert.rejects(client.call('nothing'), /no method nothing/);
  port1.close();
});

test('once the other side is gone, waiting and later calls fail', async () => {
  const { port1, port2 } = new MessageChannel();
  const client = new RpcClient(port2);
  const waiting = client.call('anything');
  client.fail(new Error('the thread ended'));
  await assert.rejects(waiting, /the thread ended/);
  await assert.rejects(client.call('more'), /the thread ended/);
  port1.close();
  port2.close();
});
