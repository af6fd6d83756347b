import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { waitFor } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';

const PATIENCE_MS = 60_000;

/** Counts what it is called with; the bodies of the calls. */
async function openListener() {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      heard.push(body);
      response.end('OK');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    heard,
    calls: (count: number) => waitFor(`${count} calls`, PATIENCE_MS, async () => (heard.length >= count ? true : undefined)),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/5e1f2a`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function post({ url }: ServerProcess): Promise<void> {
  const event = { timestamp: new Date().toISOString(), service: 'cart', level: 'INFO', message: 'ok' };
  const answer = await fetch(`${url}/api/v1/events`, { method: 'POST', body: JSON.stringify(event) });
  assert.equal(answer.status, 202, await answer.text());
}

/** How often the process has not called because something was wrong. */
async function withheld({ url }: ServerProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^helios_heartbeat_calls_total\{outcome="withheld"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

test('the heart of a process beats while it hears something, stops when it is deaf, and goes on when it hears again', async () => {
  await using listener = await openListener();
  using directory = temporaryDirectory();
  const settings = { url: listener.url, interval: '200ms', max_silence: '2s' };
  const args = Object.entries(settings).flatMap(([key, value]) => ['--set', `heartbeat.${key}=${value}`]);
  await using server = await ServerProcess.start({ dataDir: directory.path, args });
  await listener.calls(2);
  await post(server);
  await waitFor('deafness', PATIENCE_MS, async () => ((await withheld(server)) >= 2 ? true : undefined));
  const whenDeaf = listener.heard.length;
  assert.match(server.errorOutput, /no heartbeat is sent.*deaf: nothing has come for longer than 2s|deaf.*no heartbeat is sent/);
  assert.doesNotMatch(server.errorOutput, /5e1f2a/);
  await post(server);
  await listener.calls(whenDeaf + 2);
  assert.equal((JSON.parse(listener.heard[0] ?? '') as { status: string }).status, 'up');
});

test('a restart that finds everything done is not behind', async () => {
  await using listener = await openListener();
  using directory = temporaryDirectory();
  {
    await using server = await ServerProcess.start({ dataDir: directory.path });
    await post(server);
    assert.equal(await server.stop(), 0);
  }
  const settings = { url: listener.url, interval: '100ms', max_lag: '500ms' };
  const args = Object.entries(settings).flatMap(([key, value]) => ['--set', `heartbeat.${key}=${value}`]);
  await using server = await ServerProcess.start({ dataDir: directory.path, args });
  await listener.calls(12);
  assert.equal(await withheld(server), 0);
});
