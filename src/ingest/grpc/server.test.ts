import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { Client, compressionAlgorithms, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { HeliosError } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { EventLog } from '../../log/event-log.ts';
import { frame } from './answer.ts';
import { callUnary, EVENT, openGrpc, openStream, publishFrame, RawClient, statusOf } from './server.fixture.ts';
import type { GrpcFixture } from './server.fixture.ts';

const PUBLISH = 'helios.v1.EventService/Publish';
const STREAM = 'helios.v1.EventService/PublishStream';
const ONE = { events: [EVENT] };

async function failure(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    return error as ServiceError;
  }
  throw new assert.AssertionError({ message: 'the call did not fail' });
}

/** A log whose appends go through `before` first. */
function withAppend(before: () => Promise<void>): (log: EventLog) => EventLog {
  return (log) =>
    new Proxy(log, {
      get: (target, name) => {
        if (name !== 'append') return Reflect.get(target, name, target) as unknown;
        return async (...args: Parameters<EventLog['append']>) => {
          await before();
          return target.append(...args);
        };
      },
    });
}

/** Resolves once nothing is held any more; the test ends by its own timeout otherwise. */
async function untilReleased({ pending }: GrpcFixture): Promise<void> {
  while (pending.bytes > 0) await new Promise(setImmediate);
}

test('a published request is durable when it is answered, and its bad events are named', async () => {
  await using grpc = await openGrpc();
  const answer = await callUnary(grpc.client(), PUBLISH, { events: [EVENT, { ...EVENT, level: 'LOUD' }, EVENT] });
  assert.equal(answer['accepted'], 2);
  assert.equal(answer['rejected_count'], 1);
  assert.deepEqual(answer['rejected'], [
    { index: 1, field: 'level', reason: 'is not one of DEBUG, INFO, WARN, ERROR, CRITICAL' },
  ]);
  assert.equal(grpc.log.committedOffset(), 1, 'one record a request');
  assert.equal(grpc.pending.bytes, 0);
});

test('a request without events is answered, and nothing is stored', async () => {
  await using grpc = await openGrpc();
  assert.deepEqual(await callUnary(grpc.client(), PUBLISH, {}), {});
  assert.equal(grpc.log.committedOffset(), 0);
});

test('gzip and zstd messages are read, damaged and unknown ones are the fault of the client', async () => {
  await using grpc = await openGrpc();
  const gzip = grpc.client({ 'grpc.default_compression_algorithm': compressionAlgorithms.gzip });
  const big = { events: Array.from({ length: 1000 }, () => EVENT) };
  assert.equal((await callUnary(gzip, PUBLISH, big))['accepted'], 1000);
  using raw = new RawClient(grpc.url);
  const compressed = (bytes: Buffer): Buffer => {
    const framed = frame(bytes);
    framed[0] = 1;
    return framed;
  };
  const plain = publishFrame(ONE).subarray(5);
  const call = (bytes: Buffer, encoding?: string) =>
    raw.call(`/${PUBLISH}`, compressed(bytes), encoding === undefined ? {} : { 'grpc-encoding': encoding });
  const zstd = await call(zlib.zstdCompressSync(plain), 'zstd');
  assert.equal(statusOf(zstd), 0);
  assert.equal(zstd.headers['grpc-accept-encoding'], 'identity,gzip,zstd');
  assert.equal(statusOf(await call(zlib.gzipSync(plain).subarray(0, 30), 'gzip')), 3);
  assert.equal(statusOf(await call(plain, 'gzip')), 3);
  assert.equal(statusOf(await call(plain)), 3, 'compressed without an encoding');
  const unknown = await call(plain, 'snappy');
  assert.equal(statusOf(unknown), 12);
  assert.equal(unknown.headers['grpc-accept-encoding'], 'identity,gzip,zstd');
  const bomb = await call(zlib.gzipSync(Buffer.alloc(64 * 1024 * 1024)), 'gzip');
  assert.equal(statusOf(bomb), 8);
  assert.equal(grpc.pending.bytes, 0);
});

test('keys come as metadata, and a wrong one has its status', async () => {
  const key = (id: string, roles: ('ingest' | 'read')[]) => ({
    id,
    sha256: createHash('sha256').update(`secret-${id}`).digest('hex'),
    roles,
  });
  await using grpc = await openGrpc({ keys: [key('writer', ['ingest']), key('reader', ['read'])] });
  const client = grpc.client();
  assert.equal((await failure(callUnary(client, PUBLISH, ONE))).code, 16);
  assert.equal((await failure(callUnary(client, PUBLISH, ONE, { 'x-api-key': 'secret-reader' }))).code, 7);
  assert.equal((await callUnary(client, PUBLISH, ONE, { 'x-api-key': 'secret-writer' }))['accepted'], 1);
  assert.equal((await callUnary(client, PUBLISH, ONE, { authorization: 'Bearer secret-writer' }))['accepted'], 1);
  assert.equal((await callUnary(client, 'grpc.health.v1.Health/Check', {}))['status'], 'SERVING', 'health needs none');
});

test('an idempotency key, in the request or as metadata, makes a retry count once', async () => {
  await using grpc = await openGrpc();
  const client = grpc.client();
  const request = { events: [EVENT, { ...EVENT, service: '' }], idempotency_key: 'k1' };
  const first = await callUnary(client, PUBLISH, request);
  assert.deepEqual(await callUnary(client, PUBLISH, request), { ...first, replayed: true });
  assert.deepEqual(await callUnary(client, PUBLISH, request, { 'idempotency-key': 'other' }), { ...first, replayed: true });
  assert.equal((await callUnary(client, PUBLISH, ONE, { 'idempotency-key': 'k2' }))['replayed'], undefined);
  assert.equal((await callUnary(client, PUBLISH, ONE, { 'idempotency-key': 'k2' }))['replayed'], true);
  assert.equal((await failure(callUnary(client, PUBLISH, { events: [EVENT, EVENT] }, { 'idempotency-key': 'k2' }))).code, 3);
  assert.equal(grpc.log.committedOffset(), 2);
});

test('a deadline that passes while the log is slow is DEADLINE_EXCEEDED', async () => {
  const gate = Promise.withResolvers<void>();
  await using grpc = await openGrpc({ wrapLog: withAppend(() => gate.promise) });
  using raw = new RawClient(grpc.url);
  const answer = await raw.call(`/${PUBLISH}`, publishFrame(ONE), { 'grpc-timeout': '10m' });
  assert.equal(statusOf(answer), 4);
  assert.ok(grpc.pending.bytes > 0, 'what waits for its commit is still in memory');
  gate.resolve();
  await untilReleased(grpc);
  assert.equal(grpc.log.committedOffset(), 1);
  assert.equal(statusOf(await raw.call(`/${PUBLISH}`, publishFrame(ONE), { 'grpc-timeout': '10' })), 3);
});

test('a client that cancels leaves nothing held, and what was being stored is stored', async () => {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const before = async (): Promise<void> => {
    reached.resolve();
    await gate.promise;
  };
  await using grpc = await openGrpc({ wrapLog: withAppend(before) });
  const stream = openStream(grpc.client(), STREAM);
  const cancelled = new Promise<ServiceError>((resolve) => {
    stream.on('error', (error) => resolve(error as ServiceError));
  });
  stream.write(ONE);
  await reached.promise;
  stream.cancel();
  assert.equal((await cancelled).code, 1);
  gate.resolve();
  await untilReleased(grpc);
  assert.equal(grpc.log.committedOffset(), 1);
});

test('failures that may pass carry RetryInfo, and those of the data none', async () => {
  const full = new HeliosError('disk_full', 'cannot append: the disk is full', { details: { retryAfterSeconds: 5 } });
  await using grpc = await openGrpc({ wrapLog: withAppend(() => Promise.reject(full)), config: { max_body: '64KiB' } });
  const refused = await failure(callUnary(grpc.client(), PUBLISH, ONE));
  assert.equal(refused.code, 14);
  assert.equal(refused.details, 'cannot append: the disk is full');
  const [details] = refused.metadata.get('grpc-status-details-bin');
  assert.match(String(details), /type\.googleapis\.com\/google\.rpc\.RetryInfo/);
  const large = await failure(callUnary(grpc.client(), PUBLISH, { events: [{ ...EVENT, message: 'x'.repeat(70_000) }] }));
  assert.equal(large.code, 8);
  assert.deepEqual(large.metadata.get('grpc-status-details-bin'), []);
});

test('with a certificate the server speaks HTTP/2 over TLS', async () => {
  const fixtures = path.join(import.meta.dirname, '../../../test/fixtures');
  const cert = readFileSync(path.join(fixtures, 'tls-test-cert.pem'));
  const key = readFileSync(path.join(fixtures, 'tls-test-key.pem'));
  await using grpc = await openGrpc({ tls: { cert, key } });
  assert.match(grpc.url, /^https:/);
  const client = new Client(grpc.address, credentials.createSsl(cert), { 'grpc.ssl_target_name_override': 'localhost' });
  assert.equal((await callUnary(client, PUBLISH, ONE))['accepted'], 1);
  client.close();
});

test('a port that is taken is one clear error', async () => {
  await using grpc = await openGrpc();
  const port = Number(new URL(grpc.url).port);
  await assert.rejects(openGrpc({ port }), (error: HeliosError) => {
    assert.equal(error.code, 'address_unavailable');
    assert.match(error.message, /grpc_port/);
    return true;
  });
});

test('a call that outlasts the stop is cut off, and that is said', async () => {
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const before = (): Promise<void> => {
    reached.resolve();
    return gate.promise;
  };
  await using grpc = await openGrpc({ wrapLog: withAppend(before) });
  const failed = failure(callUnary(grpc.client(), PUBLISH, ONE));
  await reached.promise;
  assert.equal(await grpc.server.close(Promise.resolve()), false);
  assert.equal((await failed).code, 14);
  gate.resolve();
  await untilReleased(grpc);
});

test('what is not foreseen is INTERNAL, and is logged with its stack', async () => {
  const logged: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void logged.push(message) };
  const broken = (): Promise<void> => Promise.reject(new Error('a bug'));
  await using grpc = await openGrpc({ wrapLog: withAppend(broken), logger });
  assert.equal((await failure(callUnary(grpc.client(), PUBLISH, ONE))).code, 13);
  assert.deepEqual(logged, ['gRPC call failed']);
});
