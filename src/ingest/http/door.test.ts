import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import test from 'node:test';
import zlib from 'node:zlib';
import { ManualClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { EventLog } from '../../log/event-log.ts';
import { EVENT, openDoor } from '../door.fixture.ts';

const one = JSON.stringify(EVENT);
const bad = JSON.stringify({ ...EVENT, level: 'LOUD' });

test('an object, an array and NDJSON are durable when they are answered 202', async () => {
  await using door = await openDoor();
  for (const [body, accepted] of [
    [one, 1],
    [`[${one},${one}]`, 2],
    [`${one}\n${one}\n${one}\n`, 3],
    ['[]', 0],
  ] as const) {
    const answer = await door.post(body);
    assert.equal(answer.status, 202);
    assert.deepEqual(answer.body, { accepted });
  }
  assert.equal(door.log.committedOffset(), 3);
});

test("gzip and zstd bodies are read, also under curl's default form type", async () => {
  await using door = await openDoor();
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  assert.equal((await door.post(zlib.gzipSync(one), { ...form, 'content-encoding': 'gzip' })).status, 202);
  assert.equal(
    (
      await door.post(zlib.zstdCompressSync(one), {
        'content-encoding': 'zstd',
        'content-type': 'application/json; charset=utf-8',
      })
    ).status,
    202,
  );
});

test('good events of a mixed request are in, and each bad one is named', async () => {
  await using door = await openDoor();
  const { status, body } = await door.post(`${one}\n${bad}\nnonsense\n${one}`);
  assert.equal(status, 202);
  assert.equal(body['accepted'], 2);
  assert.equal(body['rejectedCount'], 2);
  assert.deepEqual(
    (body['rejected'] as { index: number; field: string }[]).map(({ index, field }) => [index, field]),
    [
      [1, 'level'],
      [2, ''],
    ],
  );
});

test('nothing is stored of a request that is all bad or not JSON', async () => {
  await using door = await openDoor();
  const all = await door.post(bad);
  assert.equal(all.status, 400);
  assert.equal(all.body['code'], 'all_rejected');
  assert.equal(all.body['rejectedCount'], 1);
  for (const body of ['', 'hello', `[${one}`, `[${one},]`, '{']) {
    const answer = await door.post(body);
    assert.equal(answer.status, 400, body);
    assert.match(answer.headers['content-type'] ?? '', /problem\+json/);
  }
  assert.equal(door.log.committedOffset(), 0);
});

test('damaged, unknown and oversized bodies get their own answers', async () => {
  await using door = await openDoor({ config: { max_body: '64KiB' } });
  const status = async (body: string | Uint8Array, headers: Record<string, string>, method?: string) =>
    (await door.post(body, headers, method)).status;
  assert.equal(await status(zlib.gzipSync(one).subarray(0, 60), { 'content-encoding': 'gzip' }), 400);
  assert.equal(await status(zlib.zstdCompressSync(one).subarray(0, 40), { 'content-encoding': 'zstd' }), 400);
  assert.equal(await status(one, { 'content-encoding': 'br' }), 415);
  assert.equal(await status(one, { 'content-type': 'multipart/form-data; boundary=x' }), 415);
  assert.equal(await status(one, { 'content-type': 'application/xml' }), 415);
  assert.equal(await status(zlib.gzipSync(Buffer.alloc(10_000_000)), { 'content-encoding': 'gzip' }), 413);
  assert.equal(await status(Buffer.alloc(70_000, 32), {}), 413);
  assert.equal(await status(Buffer.alloc(70_000, 32), { 'transfer-encoding': 'chunked' }), 413);
  assert.equal(await status('', {}, 'DELETE'), 405);
  assert.equal(door.pending.bytes, 0, 'refused bodies leave nothing reserved');
});

test('keys are required once configured, and carry roles and services', async () => {
  const key = (id: string, roles: ('ingest' | 'read')[], services?: string[]) => ({
    id,
    sha256: createHash('sha256').update(`secret-${id}`).digest('hex'),
    roles,
    ...(services && { services }),
  });
  await using door = await openDoor({ keys: [key('writer', ['ingest'], ['shop*']), key('reader', ['read'])] });
  assert.equal((await door.post(one)).status, 401);
  assert.equal((await door.post(one, { 'x-api-key': 'wrong' })).status, 401);
  assert.equal((await door.post(one, { 'x-api-key': 'secret-reader' })).status, 403);
  assert.equal((await door.post(one, { authorization: 'Bearer secret-writer' })).status, 202);
  const foreign = JSON.stringify({ ...EVENT, service: 'bank' });
  const mixed = await door.post(`${one}\n${foreign}`, { 'x-api-key': 'secret-writer' });
  assert.equal(mixed.body['accepted'], 1);
  assert.equal((mixed.body['rejected'] as { field: string }[])[0]?.field, 'service');
});

test('an idempotency key makes a retry count once and answer as before', async () => {
  await using door = await openDoor();
  const headers = { 'idempotency-key': 'k1' };
  const first = await door.post(`${one}\n${bad}`, headers);
  const again = await door.post(`${one}\n${bad}`, headers);
  assert.deepEqual(again.body, first.body);
  assert.equal(again.headers['idempotent-replayed'], 'true');
  assert.equal(door.log.committedOffset(), 1);
  assert.equal((await door.post(one, headers)).status, 422);
  assert.equal((await door.post(one, { 'idempotency-key': 'x'.repeat(129) })).status, 400);
  const [a, b] = await Promise.all([door.post(one, { 'idempotency-key': 'k2' }), door.post(one, { 'idempotency-key': 'k2' })]);
  assert.ok([a.status, b.status].every((status) => status === 202 || status === 409));
  assert.equal(door.log.committedOffset(), 2);
});

test('a client over its rate waits as long as it is told to', async () => {
  const clock = new ManualClock(Date.now());
  await using door = await openDoor({ clock, config: { events_per_second: 1, burst: '2s' } });
  assert.equal((await door.post(`${one}\n${one}\n${one}`)).status, 202);
  const refused = await door.post(one);
  assert.equal(refused.status, 429);
  const seconds = Number(refused.headers['retry-after']);
  assert.ok(seconds >= 1);
  clock.advance(seconds * 1000);
  assert.equal((await door.post(one)).status, 202);
});

test('past the memory bound a request is refused before its body is sent', async () => {
  await using door = await openDoor({ config: { max_pending: '1KiB' } });
  const status = await new Promise<number>((resolve, reject) => {
    const request = http.request({
      port: door.port,
      host: '127.0.0.1',
      path: '/api/v1/events',
      method: 'POST',
      headers: { expect: '100-continue', 'content-length': '4096' },
    });
    request.on('response', (response) => resolve(response.statusCode ?? 0));
    request.on('continue', () => resolve(100));
    request.on('error', reject);
    request.flushHeaders();
  });
  assert.equal(status, 503);
  assert.equal(door.pending.bytes, 0);
});

test('a stopping process and a log that does not commit are 503 with Retry-After, and the circuit opens', async () => {
  let failures = 0;
  const failing = (log: EventLog): EventLog =>
    new Proxy(log, {
      get: (target, name) => {
        if (name !== 'append') return Reflect.get(target, name, target) as unknown;
        return () => {
          failures++;
          return Promise.reject(new HeliosError('disk_full', 'cannot append: the disk is full'));
        };
      },
    });
  await using door = await openDoor({ wrapLog: failing });
  for (let i = 0; i < 8; i++) {
    const answer = await door.post(one);
    assert.equal(answer.status, 503);
    assert.ok(answer.headers['retry-after'] === undefined || Number(answer.headers['retry-after']) >= 1);
  }
  assert.equal(failures, 5, 'the open circuit keeps requests from the log');
  door.state.isStopping = true;
  assert.equal((await door.post(one)).body['code'], 'shutting_down');
});

test('a client that goes away in the middle of its body leaves nothing behind', async () => {
  await using door = await openDoor();
  await new Promise<void>((resolve) => {
    const request = http.request({
      port: door.port,
      host: '127.0.0.1',
      path: '/api/v1/events',
      method: 'POST',
      headers: { 'content-length': '1000' },
    });
    request.on('error', () => resolve());
    request.write(one.slice(0, 20), () => request.destroy());
    request.on('close', () => resolve());
  });
  assert.equal((await door.post(one)).status, 202);
  assert.equal(door.log.committedOffset(), 1);
});

test('a client that goes away before its answer releases its bytes once, and its events are in', async () => {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const slow = (log: EventLog): EventLog =>
    new Proxy(log, {
      get: (target, name) => {
        if (name !== 'append') return Reflect.get(target, name, target) as unknown;
        return async (...args: Parameters<EventLog['append']>) => {
          reached.resolve();
          await gate.promise;
          return target.append(...args);
        };
      },
    });
  await using door = await openDoor({ wrapLog: slow });
  const request = http.request({ port: door.port, host: '127.0.0.1', path: '/api/v1/events', method: 'POST' });
  request.on('error', () => {});
  request.end(one);
  await reached.promise;
  const closed = new Promise((resolve) => {
    door.onConnectionClose(resolve);
  });
  request.destroy();
  await closed;
  assert.equal(door.pending.bytes, one.length, 'what waits for its commit is still in memory');
  gate.resolve();
  assert.equal((await door.post(one)).status, 202);
  assert.equal(door.pending.bytes, 0);
  assert.equal(door.log.committedOffset(), 2);
});

test('a door may give bodies less time than the server does: the slow one is answered 408, and its memory is released', async () => {
  const clock = new ManualClock(Date.now());
  await using door = await openDoor({ clock, config: { doors: [{ door: 'http', body_timeout: '5s' }] } });
  const timersBefore = clock.pendingTimers;
  const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = http.request({
      port: door.port,
      host: '127.0.0.1',
      path: '/api/v1/events',
      method: 'POST',
      headers: { expect: '100-continue', 'content-length': '1000' },
    });
    // The server reads the body, and so has started to wait, when it asks for it.
    request.on('continue', () => setImmediate(() => clock.advance(5000)));
    request.on('response', resolve).on('error', reject);
    request.write('{"timestamp":');
  });
  const { statusCode, headers } = await answer;
  assert.deepEqual([statusCode, headers.connection], [408, 'close']);
  assert.equal(door.pending.bytes, 0);
  assert.equal(clock.pendingTimers, timersBefore);
});

test('what a client sent and what became of it is told, a replay counting once', async () => {
  await using door = await openDoor();
  const headers = { 'idempotency-key': 'k' };
  const body = `${one}\n${bad}`;
  for (let i = 0; i < 3; i++) assert.equal((await door.post(body, headers)).status, 202);
  assert.equal((await door.post('[')).status, 400);
  const [client] = door.ledger.list({ offset: 0, limit: 1 }).items;
  assert.deepEqual(
    [client?.client, client?.requests, client?.accepted, client?.rejected, client?.bytes],
    ['127.0.0.1', 4, 1, 1, 3 * body.length + 1],
  );
  assert.deepEqual(
    client?.rejectedBy.map(({ field, count }) => [field, count]),
    [['level', 1]],
  );
  assert.deepEqual(client?.refused, [{ code: 'invalid_json', count: 1 }]);
  assert.deepEqual(
    client?.lastErrors.map(({ door: at, code }) => [at, code]),
    [['http', 'invalid_json']],
  );
});
