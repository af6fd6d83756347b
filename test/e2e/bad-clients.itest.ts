import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { CrashClients } from '../../bench/crash-clients.ts';
import { getSelfMetrics, listAll, waitFor } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import type { Event } from '../../src/model/event.ts';
import { openSocket, postHead, readAnswer } from './raw-http.ts';
import { assertCleanEnd, assertUnharmed, eventOf, residentMiB } from './watched-server.ts';

const STREAM = 'GET /api/v1/stream HTTP/1.1\r\nHost: helios\r\n\r\n';
const HEALTH = 'GET /healthz HTTP/1.1\r\nHost: helios\r\n\r\n';

async function openMany(url: string, count: number, bytes = ''): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = await openSocket(url);
    if (bytes !== '') socket.write(bytes);
    sockets.push(socket);
  }
  return sockets;
}

function destroyAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.destroy();
}

test('requests that arrive too slowly are answered 408 at their time, wherever they stall', async () => {
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path, args: ['--set', 'ingest.body_timeout=500ms'] });
  const json = 'Content-Type: application/json';
  const stalls = {
    'before the first byte': '',
    'in the headers': 'POST /api/v1/events HTTP/1.1\r\nHost: he',
    'before the body': postHead('Content-Length: 1000'),
    'in the body': `${postHead('Content-Length: 1000')}{"timestamp":`,
    'in a chunk': `${postHead('Transfer-Encoding: chunked')}ffffffffffffffff\r\n{`,
    'in a body for the API': postHead('Content-Length: 1000', json).replace('events', 'changes'),
  };
  const answers = Object.entries(stalls).map(async ([name, bytes]) => {
    const socket = await openSocket(server.url);
    socket.write(bytes);
    const { status, body, ended } = await readAnswer(socket);
    assert.deepEqual([status, ended], [408, true], name);
    assert.match(body, /"code":"timeout"/, name);
  });
  const trickling = await openSocket(server.url);
  trickling.write(postHead('Content-Length: 1000'));
  const trickle = setInterval(() => trickling.write(' '), 50);
  await Promise.all(answers);
  assert.equal((await readAnswer(trickling)).status, 408, 'a byte now and then does not help');
  clearInterval(trickle);
  await assertUnharmed(server);
  await assertCleanEnd(server);
});

/** Of this process and, as it is inherited, of a server that it starts. */
function maxOpenFiles(): number {
  const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return Number(limit ?? Infinity);
}

test('thousands of idle, half-open and deserted connections keep nobody from the server', async (context) => {
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path });
  const levelMiB = residentMiB(server);
  const idleCount = Math.min(10_000, maxOpenFiles() - 2500);
  if (idleCount < 10_000) context.diagnostic(`only ${idleCount} idle connections: the limit of open files is ${maxOpenFiles()}`);
  const idle = await openMany(server.url, idleCount);
  const halfOpen = await openMany(server.url, 300, postHead('Content-Length: 16000000'));
  const deserted = await openMany(server.url, 300, `${postHead('Content-Length: 100000')}${JSON.stringify(eventOf('half'))}`);
  const health = await fetch(new URL('/healthz', server.url));
  assert.equal(health.status, 200);
  // What was announced and never came counts as memory: the bound holds, and small requests still fit below it or are told to wait.
  const crowded = await fetch(new URL('/api/v1/events', server.url), { method: 'POST', body: JSON.stringify(eventOf('shop')) });
  assert.ok([202, 429, 503].includes(crowded.status), String(crowded.status));
  destroyAll([...deserted, ...halfOpen]);
  await waitFor('the deserted requests to be given up', 10_000, async () => {
    const body = JSON.stringify(eventOf('shop'));
    await fetch(new URL('/api/v1/events', server.url), { method: 'POST', body });
    return (await getSelfMetrics(server.url)).get('helios_ingest_pending_bytes') === 0 ? true : undefined;
  });
  await assertUnharmed(server);
  assert.ok(residentMiB(server) - levelMiB < 250, `${levelMiB} MiB before, ${residentMiB(server)} MiB after`);
  destroyAll(idle);
  await assertCleanEnd(server);
});

test('readers of the stream that do not read cost others nothing', async () => {
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path });
  const levelMiB = residentMiB(server);
  const stalled = await openMany(server.url, 100, STREAM);
  for (const socket of stalled) socket.pause();
  const description = 'x'.repeat(4000);
  for (let i = 0; i < 300; i++) {
    const body = JSON.stringify({ service: 'shop', version: `v${i}`, description });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(new URL('/api/v1/changes', server.url), { method: 'POST', body, headers });
    assert.equal(answer.status, 201);
    await answer.arrayBuffer();
  }
  assert.ok(residentMiB(server) - levelMiB < 250, `${levelMiB} MiB before, ${residentMiB(server)} MiB after`);
  await assertUnharmed(server);
  await assertCleanEnd(server);
  destroyAll(stalled);
});

test('a stop under load, with every kind of connection open, is done in time and loses nothing acknowledged', async () => {
  using directory = temporaryDirectory();
  const args = ['--set', 'shutdown_timeout=10s'];
  let server = await ServerProcess.start({ dataDir: directory.path, args });
  try {
    const fromMs = Date.now() - 60_000;
    const kinds = Array.from({ length: 16 }, () => ({ door: 'http', withKey: true }) as const);
    const clients = new CrashClients({ kinds, seed: 5, paceMs: 0, server: () => server });
    const ledger = clients.ledgers.events;
    const sockets = [
      ...(await openMany(server.url, 300)),
      ...(await openMany(server.url, 300, HEALTH)),
      ...(await openMany(server.url, 30, STREAM)),
    ];
    const acknowledged = ledger.requests;
    await waitFor('load', 10_000, async () => (ledger.requests > acknowledged + 200 ? true : undefined));
    assert.equal(await server.stop(), 0, server.errorOutput);
    assert.equal(server.errorOutput, '');
    destroyAll(sockets);
    server = await ServerProcess.start({ dataDir: directory.path, args });
    await clients.finish();
    const found = new Map<string, number>();
    for await (const { metadata } of listAll<Event>(server.url, '/api/v1/events', { from: fromMs })) {
      const id = String(metadata['request_id']).replace('req_', '');
      found.set(id, (found.get(id) ?? 0) + 1);
    }
    const lost = [...ledger.acknowledged].filter((id) => found.get(id) !== 1);
    assert.deepEqual(lost, []);
    await assertCleanEnd(server);
  } finally {
    await server.kill();
  }
});
