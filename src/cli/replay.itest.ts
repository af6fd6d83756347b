import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import { generate } from './generate.ts';
import { EventClient } from './event-client.ts';
import type { ReplayOptions, ReplaySummary } from './replay.ts';
import { replayFiles } from './replay.ts';
import { eventOf, sendLines } from './send.ts';

interface Seen {
  headers: http.IncomingHttpHeaders;
  path: string;
  lines: string[];
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** A server that answers each request as `answer` says, and keeps what it was sent. */
async function withServer(
  answer: (seen: Seen, index: number) => Answer,
  run: (url: string, seen: Seen[]) => Promise<void>,
): Promise<void> {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const lines = Buffer.concat(chunks).toString().trimEnd().split('\n');
      const one = { headers: request.headers, path: request.url ?? '', lines };
      const { status, headers = {}, body = { accepted: lines.length } } = answer(one, seen.push(one) - 1);
      response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    await run(`http://127.0.0.1:${(server.address() as { port: number }).port}`, seen);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** A clock whose sleeps take no time and are noted. */
function hastyClock(): { clock: Clock; sleeps: number[] } {
  const sleeps: number[] = [];
  let slept = 0;
  const sleep = (delayMs: number): Promise<void> => {
    sleeps.push(delayMs);
    slept += delayMs;
    return Promise.resolve();
  };
  return { clock: { ...systemClock, nowMs: () => 1e12 + slept, monotonicMs: () => slept, sleep }, sleeps };
}

function fileOf(lines: readonly string[], name = 'events.ndjson.gz'): { path: string; [Symbol.dispose]: () => void } {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'helios-replay-'));
  const file = path.join(dir, name);
  fs.writeFileSync(file, name.endsWith('.gz') ? gzipSync(lines.join('\n')) : lines.join('\n'));
  return { path: file, [Symbol.dispose]: () => fs.rmSync(dir, { recursive: true }) };
}

const LINES = Array.from({ length: 25 }, (_, i) => `{"timestamp":"2025-10-08T10:00:${String(i).padStart(2, '0')}Z","n":${i}}`);

function replay(options: Partial<ReplayOptions>): Promise<ReplaySummary> {
  const stderr = new PassThrough();
  return replayFiles({
    files: [],
    url: '',
    key: '',
    batchEvents: 10,
    speed: Infinity,
    quiet: true,
    clock: systemClock,
    stderr,
    ...options,
  });
}

test('a file arrives whole and in order, in batches with keys of their own, with the API key', async () => {
  await withServer(
    () => ({ status: 202 }),
    async (url, seen) => {
      using file = fileOf(LINES);
      const summary = await replay({ files: [file.path, file.path], url: `${url}/base/`, key: 'secret' });
      assert.deepEqual([summary.accepted, summary.rejected, summary.files], [50, 0, 2]);
      assert.deepEqual(
        seen.slice(0, 3).flatMap(({ lines }) => lines),
        LINES,
      );
      assert.deepEqual(
        seen.slice(0, 3).map(({ lines }) => lines.length),
        [10, 10, 5],
      );
      assert.ok(seen.every((one) => one.path === '/base/api/v1/events' && one.headers.authorization === 'Bearer secret'));
      assert.equal(new Set(seen.slice(0, 3).map(({ headers }) => headers['idempotency-key'])).size, 3);
      assert.equal(seen[0]?.headers['idempotency-key'], seen[3]?.headers['idempotency-key']);
    },
  );
});

test('429 and 503 are waited out as Retry-After says, with the same key and body', async () => {
  const { clock, sleeps } = hastyClock();
  const statuses = [429, 503, 202];
  await withServer(
    (_, index) => ({ status: statuses[index] ?? 202, headers: { 'retry-after': '7' } }),
    async (url, seen) => {
      using file = fileOf(LINES.slice(0, 5), 'a.ndjson');
      const summary = await replay({ files: [file.path], url, clock });
      assert.equal(summary.accepted, 5);
      assert.deepEqual(sleeps, [7000, 7000]);
      assert.equal(new Set(seen.map(({ headers, lines }) => `${String(headers['idempotency-key'])} ${lines.join()}`)).size, 1);
    },
  );
});

test('a server that stays busy is given up after a bounded number of growing waits', async () => {
  const { clock, sleeps } = hastyClock();
  await withServer(
    () => ({ status: 503, body: { detail: 'the disk is full' } }),
    async (url, seen) => {
      using file = fileOf(LINES, 'a.ndjson');
      await assert.rejects(replay({ files: [file.path], url, clock }), /cannot post events to .*answered 503: the disk is full/);
      assert.equal(seen.length, 10);
      assert.ok((sleeps.at(-1) as number) > 4 * (sleeps[0] as number));
      assert.ok(Math.max(...sleeps) <= 10_000);
    },
  );
});

test('an address where nobody listens is one clear sentence', async () => {
  let closedUrl = '';
  await withServer(
    () => ({ status: 202 }),
    async (url) => {
      closedUrl = url;
      await Promise.resolve();
    },
  );
  using file = fileOf(LINES, 'a.ndjson');
  const { clock, sleeps } = hastyClock();
  await assert.rejects(replay({ files: [file.path], url: closedUrl, clock }), {
    code: 'unavailable',
    message: /connection refused/,
  });
  assert.equal(sleeps.length, 3);
});

test('rejected events are counted and the first reasons name their place in the file', async () => {
  const rejected = [{ index: 4, field: 'timestamp', reason: 'is missing' }];
  await withServer(
    (_, index) =>
      index === 1
        ? { status: 202, body: { accepted: 9, rejectedCount: 1, rejected } }
        : index === 2
          ? { status: 400, body: { code: 'all_rejected', rejectedCount: 5, rejected } }
          : { status: 202 },
    async (url) => {
      using file = fileOf(LINES, 'a.ndjson');
      const summary = await replay({ files: [file.path], url });
      assert.deepEqual([summary.accepted, summary.rejected], [19, 6]);
      assert.deepEqual(summary.reasons, [
        `${file.path}, event 15: timestamp: is missing`,
        `${file.path}, event 25: timestamp: is missing`,
      ]);
    },
  );
});

test('a refusal of the request as a whole ends the replay with the code of the server', async () => {
  const body = { code: 'unauthenticated', detail: 'no API key' };
  await withServer(
    () => ({ status: 401, body }),
    async (url) => {
      using file = fileOf(LINES, 'a.ndjson');
      await assert.rejects(replay({ files: [file.path], url }), { code: 'unauthenticated', message: /answered 401: no API key/ });
    },
  );
  await withServer(
    () => ({ status: 404, body: 'not json' }),
    async (url) => {
      using file = fileOf(LINES, 'a.ndjson');
      await assert.rejects(replay({ files: [file.path], url }), /answered 404/);
    },
  );
});

test('a speed spreads the batches over time by their first timestamps', async () => {
  const { clock, sleeps } = hastyClock();
  await withServer(
    () => ({ status: 202 }),
    async (url) => {
      using file = fileOf(LINES, 'a.ndjson');
      await replay({ files: [file.path], url, clock, speed: 5 });
      assert.deepEqual(
        sleeps.map((delay) => Math.round(delay)),
        [2000, 2000],
      );
    },
  );
});

test('a live stream is posted second by second as its time comes', async () => {
  const { clock, sleeps } = hastyClock();
  await withServer(
    () => ({ status: 202 }),
    async (url, seen) => {
      const flags = {
        seed: 1,
        duration: 20_000,
        history: 10_000,
        rate: 100,
        services: 3,
        faults: 0,
        live: true,
        json: true,
      } as const;
      const summary = await generate({ ...flags, url }, { clock, stderr: new PassThrough() });
      assert.equal(summary.events, seen.flatMap(({ lines }) => lines).length);
      assert.ok(summary.events > 500);
      assert.equal(sleeps.length, 20);
    },
  );
});

test('lines from standard input are sent in batches, and an event is made from flags', async () => {
  await withServer(
    (_, index) => ({
      status: 202,
      ...(index === 1
        ? { body: { accepted: 499, rejectedCount: 1, rejected: [{ index: 2, field: 'level', reason: 'x' }] } }
        : {}),
    }),
    async (url) => {
      await using client = new EventClient({ url, key: '', clock: systemClock });
      const input = new PassThrough();
      input.end(Array.from({ length: 1500 }, (_, i) => `{"n":${i}}`).join('\n'));
      const answer = await sendLines(input, client, 1);
      assert.deepEqual(answer, { accepted: 1499, rejectedCount: 1, rejected: [{ index: 1002, field: 'level', reason: 'x' }] });
    },
  );
  const { clock } = hastyClock();
  assert.deepEqual(eventOf({ service: 'a', level: 'WARN', message: 'm', latencyMs: 3, endpoint: '/x' }, clock), {
    timestamp: '2001-09-09T01:46:40.000Z',
    service: 'a',
    level: 'WARN',
    message: 'm',
    metadata: { latency_ms: 3, endpoint: '/x' },
  });
  assert.throws(() => eventOf({ level: 'INFO', message: '' }, clock), /cannot send: --service is missing/);
});
