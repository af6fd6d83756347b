import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { configSchema } from '../config/config.ts';
import type { ConfigInput } from '../config/config.ts';
import { HeliosError } from '../lib/errors.ts';
import type { HttpDoor } from '../ingest/http-exchange.ts';
import { checkExposure, createConnectionBudget, createHttpServer, doorPorts, EVENTS_PATH } from './server.ts';

const FIXTURES = path.join(import.meta.dirname, '../../test/fixtures');
const certFile = path.join(FIXTURES, 'tls-test-cert.pem');
const keyFile = path.join(FIXTURES, 'tls-test-key.pem');

const configOf = (input: ConfigInput) => configSchema.parse({ port: 0, ...input });

const doors = new Map([EVENTS_PATH, '/v1/logs'].map((path) => [path, { name: path } as HttpDoor]));

/** A server whose ingest doors and console say which of them was reached. */
async function listen(input: ConfigInput = {}) {
  const gate = Promise.withResolvers<void>();
  const config = configOf(input);
  const server = createHttpServer({
    config,
    connections: createConnectionBudget(config),
    doors,
    exchange: async (door, request, response) => {
      if (request.headers['x-wait'] !== undefined) await gate.promise;
      response.end(door.name === EVENTS_PATH ? 'ingest' : door.name);
    },
  });
  server.serverFactory((_request, response) => response.end('console'));
  return { server, ...(await server.listen()), gate };
}

const never = new Promise<void>(() => {});

async function textOf(url: string, init: RequestInit = {}): Promise<string> {
  return (await fetch(url, init)).text();
}

function getText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const onAnswer = (response: http.IncomingMessage): void => {
      response.on('data', (chunk: Buffer) => resolve(chunk.toString()));
    };
    const options = { ca: readFileSync(certFile), servername: 'localhost', agent: false } as const;
    const request = url.startsWith('https') ? https.get(url, options, onAnswer) : http.get(url, { agent: false }, onAnswer);
    request.on('error', reject);
  });
}

/** With a request target as a proxy sends it. */
function postTo(url: string, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', path: target }, (response) => {
      response.on('data', (chunk: Buffer) => resolve(chunk.toString()));
    });
    request.on('error', reject).end();
  });
}

test('posted events go to the ingest door, everything else to the console', async () => {
  const { server, url } = await listen();
  assert.equal(await textOf(`${url}/api/v1/events`, { method: 'POST', body: '{}' }), 'ingest');
  assert.equal(await textOf(`${url}/api/v1/events?x=1`, { method: 'POST', body: '{}' }), 'ingest');
  assert.equal(await textOf(`${url}/api/v1/events`), 'console');
  assert.equal(await textOf(`${url}/api/v1/eventsx`, { method: 'POST' }), 'console');
  assert.equal(await postTo(url, 'http://helios.example/api/v1/events?x=1'), 'ingest');
  assert.equal(await postTo(url, 'http://helios.example/x/api/v1/events'), 'console');
  assert.ok(await server.close(never, never));
});

test('the doors have a port of their own too, on which everything else is not found', async () => {
  const { server, url, otlpUrl } = await listen();
  assert.ok(otlpUrl !== null && otlpUrl !== url);
  for (const base of [url, otlpUrl]) {
    assert.equal(await textOf(`${base}/v1/logs`, { method: 'POST', body: '{}' }), '/v1/logs');
    assert.equal(await textOf(`${base}/v1/logs`), '/v1/logs', 'a door says itself which methods it takes');
    assert.equal(await textOf(`${base}/api/v1/events`, { method: 'POST', body: '{}' }), 'ingest');
  }
  const elsewhere = await fetch(`${otlpUrl}/api/v1/incidents`);
  assert.equal(elsewhere.status, 404);
  assert.match(await elsewhere.text(), /takes POST \/api\/v1\/events, \/v1\/logs/);
  assert.ok(await server.close(never, never));
});

test('the ports of the doors are the usual ones, free ones beside a free one, or off', async () => {
  assert.deepEqual(doorPorts(configSchema.parse({})), { otlpHttp: 4318, grpc: 4317 });
  assert.deepEqual(doorPorts(configOf({})), { otlpHttp: 0, grpc: 0 });
  assert.deepEqual(doorPorts(configOf({ otlp_http_port: 5, grpc_port: 'off' })), { otlpHttp: 5, grpc: null });
  const { server, otlpUrl } = await listen({ otlp_http_port: 'off' });
  assert.equal(otlpUrl, null);
  assert.ok(await server.close(never, never));
});

test('without keys only a loopback address is taken, unless someone insists', () => {
  const key = { id: 'k', sha256: '0'.repeat(64), roles: ['ingest' as const] };
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) checkExposure(configOf({ host }));
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.org']) {
    assert.throws(
      () => checkExposure(configOf({ host })),
      (error) => error instanceof HeliosError && error.details.field === 'host',
    );
    checkExposure(configOf({ host, insecure: true }));
    checkExposure(configOf({ host, keys: [key] }));
  }
});

test('with a certificate the server speaks TLS, and half of a pair or a missing file is one clear error', async () => {
  const { server, url, otlpUrl } = await listen({ tls_cert_file: certFile, tls_key_file: keyFile });
  assert.match(url, /^https:/);
  assert.equal(await getText(url), 'console');
  assert.match(await getText(`${otlpUrl}/x`), /"code":"not_found"/);
  assert.ok(await server.close(never, never));
  await assert.rejects(listen({ tls_cert_file: certFile }), /go together/);
  await assert.rejects(listen({ tls_cert_file: 'missing.pem', tls_key_file: keyFile }), /missing.pem/);
});

test('a port in use is named', async () => {
  const { server, url } = await listen();
  const port = Number(new URL(url).port);
  await assert.rejects(listen({ port }), /the port is in use$/);
  await assert.rejects(listen({ otlp_http_port: port }), (error: HeliosError) => {
    assert.equal(error.details.field, 'otlp_http_port');
    return /set otlp_http_port/.test(error.message);
  });
  assert.ok(await server.close(never, never));
});

test('closing waits for requests in flight, and cuts them off past the deadline', async () => {
  const patient = await listen();
  const waiting = textOf(`${patient.url}/api/v1/events`, { method: 'POST', body: '{}', headers: { 'x-wait': '1' } });
  const seen = new Promise<void>((resolve) => {
    const probe = http.get(patient.url, (response) => response.resume().on('end', () => resolve()));
    probe.on('error', () => resolve());
  });
  await seen;
  const closed = patient.server.close(never, never);
  patient.gate.resolve();
  assert.equal(await waiting, 'ingest');
  assert.equal(await closed, true);

  const hasty = await listen();
  const lost = textOf(`${hasty.url}/api/v1/events`, { method: 'POST', body: '{}', headers: { 'x-wait': '1' } });
  lost.catch(() => undefined);
  await textOf(hasty.url);
  assert.equal(await hasty.server.close(Promise.resolve(), never), false);
  await assert.rejects(lost);
});

test('closing does not wait for ever for connections without a request, also over TLS', async () => {
  for (const input of [{}, { tls_cert_file: certFile, tls_key_file: keyFile }]) {
    const { server, url } = await listen(input);
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
    const ended = once(socket, 'close');
    await once(socket, 'connect');
    // Its answer says that the connection before it was accepted.
    assert.equal(await getText(url), 'console');
    assert.equal(await server.close(never, Promise.resolve()), true);
    await ended;
  }
});

test('connections over the limit of all ports together are closed, and others are taken once there is room', async () => {
  const { server, url, otlpUrl } = await listen({ ingest: { max_connections: 2 } });
  const open = async (to: string): Promise<net.Socket> => {
    const socket = net.connect(Number(new URL(to).port), '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  const ask = async (socket: net.Socket): Promise<string> => {
    socket.write('GET / HTTP/1.1\r\nHost: helios\r\n\r\n');
    const answered = once(socket, 'data').then(([data]) => String(data));
    return Promise.race([answered, once(socket, 'close').then(() => 'closed')]);
  };
  const first = await open(url);
  const second = await open(otlpUrl ?? '');
  assert.match(await ask(first), / 200 /);
  assert.match(await ask(second), / 404 /);
  const third = await open(url);
  third.on('error', () => {});
  assert.equal(await ask(third), 'closed');
  const seen = once(first, 'close');
  first.end();
  await seen;
  assert.match(await ask(await open(url)), / 200 /);
  second.destroy();
  assert.ok(await server.close(never, Promise.resolve()));
});

test('connections that cannot be accepted do not end the process', async () => {
  const config = configOf({});
  const exchange = (): Promise<void> => Promise.resolve();
  const server = createHttpServer({ config, connections: createConnectionBudget(config), doors, exchange });
  const accepting = server.serverFactory((_request, response) => response.end('console'));
  const { url } = await server.listen();
  for (let i = 0; i < 3; i++) accepting.emit('error', new Error('accept ENFILE'));
  assert.equal(await getText(url), 'console');
  assert.ok(await server.close(never, Promise.resolve()));
});
