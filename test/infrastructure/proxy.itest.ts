import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { freePort } from '../servers/server-script.ts';
import { nginx } from './infrastructure-tools.ts';

const source = readFileSync(join(import.meta.dirname, '../../infrastructure/compose/nginx.conf'), 'utf8');
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

async function backend(
  context: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const server = http.createServer(answer).listen(0, '127.0.0.1');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/**
 * The configuration with ports of the test, port 8080 only. Docker's DNS is not here, and Debian's nginx is too old to ask it again and
 * again.
 */
function adapted(directory: string, port: number, ingestion: readonly number[], console: number): string {
  const servers = (ports: readonly number[]): string => ports.map((each) => `server 127.0.0.1:${each};`).join(' ');
  const paths = TEMPORARY.map((name) => `${name}_temp_path ${directory}/${name};`).join(' ');
  return source
    .replaceAll(/ {4}server \{\s+listen 431\d;.*?\n {4}\}\n/gs, '')
    .replace('resolver 127.0.0.11 valid=5s ipv6=off;', paths)
    .replace('pid /tmp/nginx.pid;', `pid ${directory}/nginx.pid;`)
    .replace('server ingestion:8080 resolve;', servers(ingestion))
    .replaceAll(/server ingestion:\d+ resolve;/g, servers(ingestion))
    .replace('server console:8080 resolve;', servers([console]))
    .replace('listen 8080;', `listen 127.0.0.1:${port};`);
}

async function startProxy(context: TestContext, program: string, ingestion: readonly number[], console: number): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'helios-proxy-'));
  // Its workers run as another user.
  chmodSync(directory, 0o755);
  const port = await freePort();
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, adapted(directory, port, ingestion, console));
  const child = spawn(program, ['-p', directory, '-c', file, '-g', 'daemon off;'], { stdio: 'ignore' });
  const exit = once(child, 'exit');
  context.after(async () => {
    child.kill('SIGTERM');
    await exit;
    rmSync(directory, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    assert.equal(child.exitCode, null, 'nginx ended: its configuration is wrong');
    const up = await fetch(`${url}/proxy-health`).catch(() => null);
    if (up?.ok === true) return url;
  }
}

test('the proxy spreads what is sent over the replicas of ingestion, and hands queries and the event stream to the console', async (context) => {
  const program = await nginx(context);
  if (program === null) return;
  const seen = new Map<string, number>();
  const named =
    (name: string) =>
    (request: IncomingMessage, response: ServerResponse): void => {
      seen.set(name, (seen.get(name) ?? 0) + 1);
      request.resume().on('end', () => {
        response.setHeader('x-role', name).setHeader('x-host', request.headers.host ?? '');
        if (request.url !== '/api/v1/stream') response.end('{}');
        else response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
      });
    };
  const ingestion = [await backend(context, named('ingestion-0')), await backend(context, named('ingestion-1'))];
  const url = await startProxy(context, program, ingestion, await backend(context, named('console')));

  for (let i = 0; i < 20; i++) {
    const answer = await fetch(`${url}/api/v1/events`, { method: 'POST', body: 'x'.repeat(100_000) });
    assert.match(answer.headers.get('x-role') ?? '', /^ingestion-/);
    // With its port: commands from a page are compared with their Origin.
    assert.equal(answer.headers.get('x-host'), new URL(url).host);
    await answer.text();
  }
  assert.ok((seen.get('ingestion-0') ?? 0) > 0 && (seen.get('ingestion-1') ?? 0) > 0, 'one replica got everything');

  for (const [method, path] of [
    ['GET', '/api/v1/events'],
    ['POST', '/api/v1/incidents/inc-1/ack'],
    ['GET', '/readyz'],
  ] as const) {
    const answer = await fetch(`${url}${path}`, { method });
    assert.equal(answer.headers.get('x-role'), 'console', path);
    await answer.text();
  }

  // What the console says is passed on at once, not when a buffer is full.
  const stream = await fetch(`${url}/api/v1/stream`);
  const reader = stream.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  assert.equal(new TextDecoder().decode(value), 'data: first\n\n');
  await reader?.cancel();
});
