import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { createProgram } from './program.ts';

/** Runs the command line in this process; what it printed and threw. */
async function run(...args: string[]): Promise<{ out: string[]; error: unknown }> {
  const out: string[] = [];
  const context = {
    version: '0',
    signal: new AbortController().signal,
    print: (line: string) => void out.push(line),
    warn: () => {},
  };
  try {
    await createProgram(context).parseAsync(args, { from: 'user' });
    return { out, error: null };
  } catch (error) {
    return { out, error };
  }
}

/** A server that accepts every event but those of level BAD. */
async function withServer(runs: (url: string) => Promise<void>): Promise<void> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const lines = Buffer.concat(chunks).toString().trimEnd().split('\n');
      const bad = lines.flatMap((line, index) =>
        line.includes('"BAD"') ? [{ index, field: 'level', reason: 'is not a level' }] : [],
      );
      const counts = { accepted: lines.length - bad.length, rejectedCount: bad.length, rejected: bad };
      const allBad = bad.length === lines.length;
      response.writeHead(allBad ? 400 : 202).end(JSON.stringify(allBad ? { code: 'all_rejected', ...counts } : counts));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    await runs(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('a generated file is replayed as a whole, told in words and as JSON', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'helios-commands-'));
  try {
    const file = path.join(dir, 'with space.ndjson.gz');
    const flags = ['--duration', '10m', '--rate', '20', '--seed', '3', '--faults', 'error_burst', '--services', '4', '--json'];
    const made = await run('generate', '--out', file, '--start', '2025-10-08T10:00:00Z', ...flags);
    const { events, labels, faults } = JSON.parse(made.out[0] ?? '');
    assert.deepEqual([labels, faults], [path.join(dir, 'with space.ndjson.labels.json'), 1]);
    await withServer(async (url) => {
      assert.deepEqual((await run('replay', file, '--url', url, '--json')).out, [
        `{"accepted":${events},"rejected":0,"files":1}`,
      ]);
      const told = await run('replay', file, '--url', url, '--speed', 'max', '--batch', '500');
      assert.match(told.out[0] ?? '', new RegExp(`^accepted ${events}, rejected 0 in .* events/s\\) from 1 file$`));
      const posted = await run('generate', '--url', url, '--duration', '5m', '--rate', '20', '--gap', '1h', '--warm-up', '1m');
      assert.match(posted.out[0] ?? '', /^\d+ events from .* to .*, 0 faults, seed 1, rejected 0$/);
    });
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});

test('a replay of which every event is rejected fails and names the first reason', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'helios-commands-'));
  try {
    const file = path.join(dir, 'bad.ndjson');
    fs.writeFileSync(file, '{"level":"BAD"}\n{"level":"BAD"}\n');
    await withServer(async (url) => {
      const { out, error } = await run('replay', file, '--url', url);
      assert.match(out[0] ?? '', /^accepted 0, rejected 2/);
      assert.match((error as Error).message, /^cannot replay: every event was rejected, .* event 1: level: is not a level$/);
    });
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});

test('send posts one event and fails with the reason when it is rejected', async () => {
  await withServer(async (url) => {
    const flags = [
      '--url',
      url,
      '--service',
      'a',
      '--latency-ms',
      '12',
      '--endpoint',
      '/x',
      '--service-version',
      '1',
      '--trace-id',
      't',
    ];
    assert.deepEqual((await run('send', ...flags)).out, ['accepted 1, rejected 0']);
    const { error } = await run('send', ...flags, '--level', 'BAD', '--json');
    assert.match((error as Error).message, /^cannot send 1 of 1 events: event 1: level: is not a level$/);
  });
  assert.match(((await run('send', 'file.ndjson')).error as Error).message, /only - is understood/);
  assert.match(((await run('send')).error as Error).message, /--service is missing/);
});

test('values of the wrong kind are usage errors', async () => {
  for (const args of [
    ['generate', '--duration', 'long'],
    ['generate', '--rate', '-1'],
    ['generate', '--seed', 'x'],
    ['generate', '--services', '0'],
    ['generate', '--start', 'yesterday'],
    ['replay', 'f', '--speed', '0'],
    ['replay', 'f', '--batch', '1.5'],
    ['send', '--latency-ms', '-3'],
    ['replay'],
    ['send', '--nonsense'],
  ]) {
    const { error } = await run(...args);
    assert.match(String((error as { code?: string } | null)?.code), /^commander\./, args.join(' '));
  }
});
