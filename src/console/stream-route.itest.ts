import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import test from 'node:test';
import type { FastifyServerFactory } from 'fastify';
import type { Problem } from '../lib/errors.ts';
import { consoleConfigSchema } from './config.ts';
import { createFixture, keyedAuthorize, sampleAnomaly, sampleChange, sampleIncident } from './console.fixture.ts';
import type { Fixture } from './console.fixture.ts';
import type { ConsoleDependencies } from './dependencies.ts';

async function listen(changed: Partial<ConsoleDependencies> = {}): Promise<Fixture & { port: number }> {
  const fixture = await createFixture(changed);
  await fixture.app.listen({ port: 0, host: '127.0.0.1' });
  return { ...fixture, port: (fixture.app.server.address() as AddressInfo).port };
}

interface Reader {
  response: http.IncomingMessage;
  text(): string;
  /** Resolves when what has come matches. */
  until(pattern: RegExp): Promise<string>;
  ended: Promise<void>;
  destroy(): void;
}

function open(port: number, path = '/api/v1/stream', headers: http.OutgoingHttpHeaders = {}): Promise<Reader> {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path, headers, agent: false }, (response) => {
      let text = '';
      let check = (): void => {};
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        check();
      });
      const ended = new Promise<void>((done) => {
        response.on('close', done);
      });
      response.on('error', () => {});
      const until = (pattern: RegExp): Promise<string> =>
        new Promise((found) => {
          check = () => {
            if (pattern.test(text)) found(text);
          };
          check();
        });
      resolve({ response, text: () => text, until, ended, destroy: () => request.destroy() });
    });
    request.on('error', reject);
  });
}

async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(bytes);
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
  return text;
}

test('a reader gets documents as they are published, in order', async () => {
  await using server = await listen();
  const reader = await open(server.port);
  assert.equal(reader.response.statusCode, 200);
  assert.equal(reader.response.headers['content-type'], 'text/event-stream; charset=utf-8');
  await reader.until(/\n\n/);
  server.stream.publish('anomaly', sampleAnomaly);
  server.stream.publish('incident', sampleIncident);
  const text = await reader.until(/event: incident\ndata: .*\n\n/);
  const data = [...text.matchAll(/^data: (.*)$/gm)].map((match): unknown => JSON.parse(match[1] as string));
  assert.deepEqual(data, [sampleAnomaly, sampleIncident]);
  reader.destroy();
});

test('a reader resumes after the last id that it has seen', async () => {
  await using server = await listen();
  const first = await open(server.port);
  await first.until(/\n\n/);
  server.stream.publish('change', { ...sampleChange, id: 'seen' });
  const id = /id: (\d+)\nevent/.exec(await first.until(/"seen".*\n\n/))?.[1];
  first.destroy();
  server.stream.publish('change', { ...sampleChange, id: 'missed' });
  const second = await open(server.port, '/api/v1/stream', { 'last-event-id': id });
  const text = await second.until(/"missed"/);
  assert.doesNotMatch(text, /reset|"seen"/);
  second.destroy();
  const foreign = await open(server.port, '/api/v1/stream', { 'last-event-id': '17' });
  assert.match(await foreign.until(/"missed"/), /event: reset[^]*"seen"/);
  foreign.destroy();
});

test('filters apply, and wrong ones are refused as a problem', async () => {
  await using server = await listen();
  const reader = await open(server.port, '/api/v1/stream?types=incident,change&service=cart');
  await reader.until(/\n\n/);
  server.stream.publish('anomaly', sampleAnomaly);
  server.stream.publish('change', { ...sampleChange, service: 'other' });
  server.stream.publish('change', sampleChange);
  assert.doesNotMatch(await reader.until(/"cart"/), /anomaly|other/);
  reader.destroy();
  const refused = await open(server.port, '/api/v1/stream?types=incidents');
  assert.equal(refused.response.statusCode, 400);
  const problem = JSON.parse(await refused.until(/\}$/)) as Problem;
  assert.match(problem.detail, /did you mean "incident"/);
});

test('a reader without a key is refused', async () => {
  await using server = await listen({ authorize: keyedAuthorize });
  assert.equal((await open(server.port)).response.statusCode, 401);
  const reader = await open(server.port, '/api/v1/stream', { 'x-api-key': 'read' });
  assert.equal(reader.response.statusCode, 200);
  reader.destroy();
});

test('a quiet stream is kept alive by comments', async () => {
  await using server = await listen();
  const reader = await open(server.port);
  await reader.until(/\n\n/);
  server.clock.advance(15_000);
  await reader.until(/: ping\n\n/);
  reader.destroy();
  await reader.ended;
  while (server.clock.pendingTimers > 0) await new Promise(setImmediate);
});

test('a reader that stops reading is cut, and another one is not', async () => {
  const config = consoleConfigSchema.parse({ stream_buffer: '64KiB' });
  await using server = await listen({ config });
  const stalled = connect(server.port, '127.0.0.1');
  stalled.write('GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await new Promise((resolve) => stalled.once('readable', resolve));
  const reader = await open(server.port);
  await reader.until(/\n\n/);
  const cut = new Promise((resolve) => stalled.on('close', resolve));
  stalled.on('error', () => {});
  const description = 'x'.repeat(32_768);
  let count = 0;
  const sockets = async (): Promise<number> =>
    new Promise((resolve, reject) => server.app.server.getConnections((error, n) => (error ? reject(error) : resolve(n))));
  // The kernel takes some megabytes before anything is left unsent here.
  while ((await sockets()) > 1) {
    server.stream.publish('change', { ...sampleChange, id: `c${++count}`, description });
    await reader.until(new RegExp(`"c${count}"`));
    assert.ok(count < 2000);
  }
  stalled.resume();
  await cut;
  server.stream.publish('change', { ...sampleChange, id: 'after' });
  await reader.until(/"after"/);
  reader.destroy();
});

test('closing the application ends open streams and lets it stop', async () => {
  const server = await listen();
  const reader = await open(server.port);
  await reader.until(/\n\n/);
  await server.app.close();
  await reader.ended;
  assert.equal(reader.response.complete, true);
});

test('other handlers can share the server, and keep its error answers', async () => {
  const serverFactory: FastifyServerFactory = (handler) =>
    http.createServer((request, response) => {
      if (request.url === '/hot') response.end('hot');
      else handler(request, response);
    });
  await using server = await listen({ serverFactory });
  assert.equal(await (await open(server.port, '/hot')).until(/hot/), 'hot');
  assert.match(await (await open(server.port, '/healthz')).until(/\}/), /"ok"/);
  assert.match(await sendRaw(server.port, 'hello\r\n\r\n'), /problem\+json/);
});

test('bytes that are not HTTP get a problem as their answer', async () => {
  await using server = await listen();
  const ask = (bytes: string): Promise<string> => sendRaw(server.port, bytes);
  assert.match(await ask('hello\r\n\r\n'), /^HTTP\/1.1 400 [^]*problem\+json[^]*"code":"invalid_argument"/);
  assert.match(await ask(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`), /^HTTP\/1.1 431 [^]*"status":431/);
});
