import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import test from 'node:test';
import { callUnary, EVENT, openGrpc, publishFrame, RawClient, statusOf } from './server.fixture.ts';
import type { GrpcFixture } from './server.fixture.ts';
import { PING_BUDGET, RESET_BUDGET, SETTINGS_BUDGET } from './limits.ts';

const PUBLISH = '/helios.v1.EventService/Publish';
const STREAM = '/helios.v1.EventService/PublishStream';
const ONE = publishFrame({ events: [EVENT] });
const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = http2.constants;

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const FRAME = { data: 0, headers: 1, settings: 4, ping: 6, windowUpdate: 8, continuation: 9 } as const;
const END_HEADERS = 4;
const END_STREAM = 1;

/** One HTTP/2 frame (RFC 9113, section 4.1). */
function h2(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const frame = Buffer.alloc(9 + payload.length);
  frame.writeUIntBE(payload.length, 0, 3);
  frame[3] = type;
  frame[4] = flags;
  frame.writeUInt32BE(streamId, 5);
  frame.set(payload, 9);
  return frame;
}

/** Header block of literals without indexing and without Huffman coding (RFC 7541, section 6.2.2). */
function headerBlock(headers: Record<string, string>): Buffer {
  const literal = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  return Buffer.concat(Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

const REQUEST = headerBlock({
  ':method': 'POST',
  ':scheme': 'http',
  ':path': PUBLISH,
  ':authority': 'x',
  'content-type': 'application/grpc',
});

/** Sends bytes over a bare connection and resolves when the server has closed it. */
function sendUntilClosed({ url }: GrpcFixture, ...parts: Buffer[]): Promise<Buffer> {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => {});
  socket.write(Buffer.concat(parts));
  return new Promise((resolve) => {
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** The process goes on serving, and holds nothing. */
async function assertUnharmed(grpc: GrpcFixture): Promise<void> {
  const answer = await callUnary(grpc.client({ 'grpc.use_local_subchannel_pool': 1 }), PUBLISH.slice(1), { events: [EVENT] });
  assert.equal(answer['accepted'], 1);
  while (grpc.pending.bytes > 0) await new Promise(setImmediate);
}

test('messages that are no message are the fault of the client', async () => {
  await using grpc = await openGrpc({ config: { max_body: '1MiB' } });
  using raw = new RawClient(grpc.url);
  const bodies: [string, Buffer, number][] = [
    ['nothing', Buffer.alloc(0), 3],
    ['half a prefix', ONE.subarray(0, 3), 3],
    ['half a message', ONE.subarray(0, 20), 3],
    ['two messages', Buffer.concat([ONE, ONE]), 3],
    ['trailing garbage', Buffer.concat([ONE, Buffer.from('x')]), 3],
    ['an unknown flag', Buffer.from([2, 0, 0, 0, 0]), 3],
    ['not protobuf', Buffer.concat([Buffer.from([0, 0, 0, 0, 4]), Buffer.from('text')]), 3],
    ['4 GiB announced', Buffer.from([0, 255, 255, 255, 255]), 8],
    ['just over the limit', Buffer.from([0, 0, 16, 0, 1]), 8],
  ];
  for (const [name, body, status] of bodies) {
    for (const path of [PUBLISH, STREAM]) {
      const answer = await raw.call(path, body);
      // A stream may be empty, and takes as many messages as come.
      const isGood = path === STREAM && (name === 'nothing' || name === 'two messages');
      assert.equal(statusOf(answer), isGood ? 0 : status, `${name} to ${path}`);
    }
  }
  await assertUnharmed(grpc);
});

test('a message that is announced too large is refused before it is sent, and the client is told to stop', async () => {
  await using grpc = await openGrpc({ config: { max_body: '1MiB' } });
  using raw = new RawClient(grpc.url);
  const { stream, answer } = raw.open(PUBLISH);
  stream.write(Buffer.from([0, 1, 0, 0, 0]));
  const ended = await answer;
  assert.deepEqual([statusOf(ended), ended.resetCode], [8, NGHTTP2_NO_ERROR]);
  await assertUnharmed(grpc);
});

test('a message may come byte by byte', async () => {
  await using grpc = await openGrpc();
  const { port } = new URL(grpc.url);
  const socket = net.connect(Number(port), '127.0.0.1');
  socket.on('error', () => {});
  const bytes = [...ONE].map((byte) => h2(FRAME.data, 0, 1, Buffer.from([byte])));
  socket.write(
    Buffer.concat([
      PREFACE,
      h2(FRAME.settings, 0, 0),
      h2(FRAME.headers, END_HEADERS, 1, REQUEST),
      ...bytes,
      h2(FRAME.data, END_STREAM, 1),
    ]),
  );
  // The answer's trailers hold "grpc-status: 0": the stream ends, the connection stays.
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      if (chunk.includes(h2(FRAME.headers, END_HEADERS | END_STREAM, 1).subarray(3, 9))) resolve();
    });
  });
  assert.equal(grpc.log.committedOffset(), 1);
  socket.destroy();
});

test('what is no gRPC call has an answer of its own', async () => {
  await using grpc = await openGrpc();
  using raw = new RawClient(grpc.url);
  assert.equal((await raw.call(PUBLISH, ONE, { 'content-type': 'application/json' })).headers[':status'], 415);
  assert.equal((await raw.call(PUBLISH, ONE, { 'content-type': 'application/grpc-web' })).headers[':status'], 415);
  assert.equal((await raw.call(PUBLISH, ONE, { ':method': 'PUT' })).headers[':status'], 405);
  assert.equal(statusOf(await raw.call('/helios.v1.EventService/Nothing', ONE)), 12);
  assert.equal(statusOf(await raw.call(PUBLISH, ONE, { 'content-type': 'application/grpc+proto' })), 0);
  await assertUnharmed(grpc);
});

test('connections that are not HTTP/2, or stop being it, are closed', async () => {
  await using grpc = await openGrpc();
  await sendUntilClosed(grpc, Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
  await sendUntilClosed(grpc, Buffer.alloc(100, 0xff));
  const begin = [PREFACE, h2(FRAME.settings, 0, 0)];
  const hostile: Record<string, Buffer[]> = {
    'settings of a wrong length': [h2(FRAME.settings, 0, 0, Buffer.alloc(5))],
    'data on stream 0': [h2(FRAME.data, 0, 0, ONE)],
    'a frame over the frame size': [h2(FRAME.data, 0, 1, Buffer.alloc(20_000))],
    'headers that do not decode': [h2(FRAME.headers, END_HEADERS, 1, Buffer.alloc(10, 0xff))],
    'a window that overflows': [h2(FRAME.windowUpdate, 0, 0, Buffer.from([0x7f, 255, 255, 255]))],
    'a continuation of nothing': [h2(FRAME.continuation, END_HEADERS, 1, REQUEST)],
    'an even stream': [h2(FRAME.headers, END_HEADERS, 2, REQUEST)],
    'continuations without end': [
      h2(FRAME.headers, 0, 1, REQUEST),
      ...Array.from({ length: 50 }, () => h2(FRAME.continuation, 0, 1, headerBlock({ a: 'b'.repeat(100) }))),
      h2(FRAME.data, 0, 1),
    ],
  };
  for (const frames of Object.values(hostile)) await sendUntilClosed(grpc, ...begin, ...frames);
  await assertUnharmed(grpc);
});

test('headers over the limit end their stream, not the process', async () => {
  await using grpc = await openGrpc({ config: { max_header: '4KiB' } });
  using raw = new RawClient(grpc.url);
  assert.equal((await raw.call(PUBLISH, ONE, { large: 'x'.repeat(60_000) })).headers[':status'], 431);
  const later = await raw.call(PUBLISH, ONE, { large: 'x'.repeat(60_000) });
  assert.notEqual(later.headers[':status'], 200, 'the client knows the limit now');
  await assertUnharmed(grpc);
});

test('streams that are half open or lost in the middle of a message hold nothing once they are gone', async () => {
  await using grpc = await openGrpc();
  const raw = new RawClient(grpc.url);
  const streams = Array.from({ length: 20 }, (_, i) => raw.open(i % 2 === 0 ? PUBLISH : STREAM).stream);
  const first = Buffer.concat([Buffer.from([0, 0, 8, 0, 0]), Buffer.alloc(1000)]);
  for (const stream of streams) stream.write(first);
  while (grpc.pending.bytes < 20 * 1000) await new Promise(setImmediate);
  raw[Symbol.dispose]();
  await assertUnharmed(grpc);
});

async function closedWith(session: http2.ClientHttp2Session): Promise<number> {
  return new Promise((resolve) => {
    session.on('goaway', (code) => resolve(code));
    session.on('close', () => resolve(NaN));
  });
}

test('rapid resets end the connection with ENHANCE_YOUR_CALM', async () => {
  await using grpc = await openGrpc();
  using raw = new RawClient(grpc.url);
  const closed = closedWith(raw.session);
  while (!raw.session.destroyed) {
    for (let i = 0; i < RESET_BUDGET.burst / 10 && !raw.session.destroyed && !raw.session.closed; i++) {
      const { stream } = raw.open(STREAM);
      stream.write(ONE.subarray(0, 10));
      stream.close(NGHTTP2_CANCEL);
    }
    await new Promise(setImmediate);
  }
  assert.equal(await closed, NGHTTP2_ENHANCE_YOUR_CALM);
  await assertUnharmed(grpc);
});

test('floods of pings and settings end the connection', async () => {
  await using grpc = await openGrpc();
  const begin = [PREFACE, h2(FRAME.settings, 0, 0)];
  const flood = (frame: Buffer, count: number): Buffer[] => Array.from({ length: count }, () => frame);
  const pings = await sendUntilClosed(grpc, ...begin, ...flood(h2(FRAME.ping, 0, 0, Buffer.alloc(8)), PING_BUDGET.burst * 2));
  assert.ok(pings.length > 0);
  const settings = h2(FRAME.settings, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100]));
  await sendUntilClosed(grpc, ...begin, ...flood(settings, SETTINGS_BUDGET.burst * 2));
  await assertUnharmed(grpc);
});

test('connections past the limit of the process are cut, and others are taken once there is room', async () => {
  await using grpc = await openGrpc({ maxConnections: 1 });
  const isTaken = async ({ session }: RawClient): Promise<boolean> => {
    const taken = once(session, 'remoteSettings').then(() => true);
    return Promise.race([taken, once(session, 'close').then(() => false)]).catch(() => false);
  };
  const first = new RawClient(grpc.url);
  assert.equal(await isTaken(first), true);
  using second = new RawClient(grpc.url);
  assert.equal(await isTaken(second), false);
  const freed = once(first.session, 'close');
  first[Symbol.dispose]();
  await freed;
  // The server hears of it a moment later.
  for (let isFree = false; !isFree;) {
    using next = new RawClient(grpc.url);
    isFree = await isTaken(next);
  }
});
