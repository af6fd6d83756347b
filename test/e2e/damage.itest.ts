import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, openSync, closeSync, readdirSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { getJson, getMetrics, listAll, waitFor, waitForEvents } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import type { Event } from '../../src/model/event.ts';
import { assertUnharmed, eventOf } from './watched-server.ts';

const ARGS = ['--set', 'log.segment_size=64KiB', '--set', 'store.commit_interval=100ms'];
const SERVICES = ['cart', 'shop', 'user'];
const REQUESTS = 64;
const PER_REQUEST = 50;
const TOTAL = REQUESTS * PER_REQUEST;
const original = temporaryDirectory();
const range = {
  from: Math.floor(Date.now() / 60_000) * 60_000 - 600_000,
  to: Math.floor(Date.now() / 60_000) * 60_000 + 600_000,
};
/** What the API says of the undamaged data. */
let intact: unknown;

function logFiles(dataDir: string, extension: string): string[] {
  const directory = join(dataDir, 'log');
  const names = readdirSync(directory).filter((name) => name.endsWith(extension));
  return names.toSorted().map((name) => join(directory, name));
}

/** Events that are always the same are counted the same, whatever the process went through. */
async function numbersOf(url: string): Promise<unknown> {
  const services = await getJson(url, '/api/v1/services', range);
  const metrics = await Promise.all(SERVICES.map((service) => getMetrics(url, { service, ...range, step: '1m' })));
  return { services, metrics: metrics.map(({ series }) => series) };
}

async function idsIn(url: string): Promise<Set<string>> {
  const ids: string[] = [];
  for (const service of SERVICES) {
    for await (const { metadata } of listAll<Event>(url, '/api/v1/events', { service, from: range.from }))
      ids.push(String(metadata['id']));
  }
  const unique = new Set(ids);
  assert.equal(unique.size, ids.length, 'no event is there twice');
  return unique;
}

before(async () => {
  await using server = await ServerProcess.start({ dataDir: original.path, args: ARGS });
  for (let request = 0; request < REQUESTS; request++) {
    const lines = Array.from({ length: PER_REQUEST }, (_, i) => {
      const id = request * PER_REQUEST + i;
      const event = eventOf(SERVICES[id % 3] as string, `order ${id} ${'x'.repeat(100)}`, {
        id: String(id),
        latency_ms: id % 97,
      });
      return JSON.stringify({ ...event, level: id % 20 === 0 ? 'ERROR' : 'INFO' });
    });
    const response = await fetch(new URL('/api/v1/events', server.url), { method: 'POST', body: lines.join('\n') });
    assert.equal(response.status, 202);
  }
  await waitForEvents(server.url, TOTAL, 30_000);
  await waitFor('sealed segments', 30_000, async () => (logFiles(original.path, '.sealed').length >= 10 ? true : undefined));
  intact = await numbersOf(server.url);
  assert.equal(await server.stop(), 0);
});
after(() => original[Symbol.dispose]());

function overwrite(file: string, at: number, bytes: Buffer): void {
  const fd = openSync(file, 'r+');
  try {
    writeSync(fd, bytes, 0, bytes.length, at);
  } finally {
    closeSync(fd);
  }
}

const flip = (file: string, share: number): void =>
  overwrite(file, Math.floor(statSync(file).size * share), Buffer.alloc(8, 0xa5));

/** A copy of the data that something has happened to, and the server started on it. */
async function startDamaged(
  damage: (dataDir: string) => void,
): Promise<AsyncDisposable & { server: ServerProcess; dataDir: string }> {
  const directory = temporaryDirectory();
  cpSync(original.path, directory.path, { recursive: true });
  damage(directory.path);
  const server = await ServerProcess.start({ dataDir: directory.path, args: ARGS });
  return {
    server,
    dataDir: directory.path,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

const half = (file: string): void => truncateSync(file, Math.floor(statSync(file).size / 2));
const noise = (file: string): void => overwrite(file, 0, Buffer.alloc(statSync(file).size, 0xa5));
const named = (file: string): RegExp => new RegExp(basename(file).replaceAll('.', '\\.'));

/** Damages the log's files and says how each of them has to be named. */
type LogDamage = (sealed: string[], newest: string) => RegExp[];

const LOG_DAMAGES: Record<string, LogDamage> = {
  'sealed segments with changed bytes, a changed index, cut in half, emptied and removed': (sealed) => {
    const [bytes, index, cut, empty, , gone] = sealed as [string, string, string, string, string, string];
    flip(bytes, 0.4);
    flip(index, 0.999);
    half(cut);
    truncateSync(empty, 0);
    rmSync(gone);
    return [bytes, index, cut, empty].map(named).concat(/records \d+ to \d+ before it are missing/);
  },
  'a newest segment with changed bytes': (_, newest) => {
    flip(newest, 0.4);
    return [named(newest)];
  },
  'a newest segment with a changed end': (_, newest) => {
    flip(newest, 0.999);
    return [named(newest), /records \d+ to \d+ are missing at the end/];
  },
  'half a newest segment': (_, newest) => {
    half(newest);
    return [named(newest), /records \d+ to \d+ are missing at the end/];
  },
  'a newest segment of noise': (_, newest) => {
    noise(newest);
    return [named(newest)];
  },
  'a newest segment that is gone': (_, newest) => {
    rmSync(newest);
    return [/records \d+ to \d+ are missing at the end/];
  },
};

for (const [name, damage] of Object.entries(LOG_DAMAGES)) {
  test(`${name}: each is named, and all the rest is served`, async () => {
    let expected: RegExp[] = [];
    await using damaged = await startDamaged((dataDir) => {
      expected = damage(logFiles(dataDir, '.sealed'), logFiles(dataDir, '.log').at(-1) as string);
    });
    const { url } = damaged.server;
    assert.deepEqual(await numbersOf(url), intact, 'what was derived before is not touched');
    const ids = await idsIn(url);
    assert.ok(ids.size > TOTAL / 2 && ids.size < TOTAL, `${ids.size} of ${TOTAL} events`);
    for (const pattern of expected) assert.match(damaged.server.errorOutput, pattern);
    const body = JSON.stringify(eventOf('shop', 'new', { id: 'new' }));
    assert.equal((await fetch(new URL('/api/v1/events', url), { method: 'POST', body })).status, 202);
    await waitForEvents(url, TOTAL + 1, 30_000);
    assert.deepEqual(await idsIn(url), new Set([...ids, 'new']));
  });
}

const STORE_DAMAGES: Record<string, (database: string) => void> = {
  'a removed database': rmSync,
  'a database of noise': noise,
  'a database cut in its middle': half,
};

for (const [name, damage] of Object.entries(STORE_DAMAGES)) {
  test(`${name} is built again from the log, with the same numbers`, async () => {
    await using damaged = await startDamaged((dataDir) => damage(join(dataDir, 'store.db')));
    const { url } = damaged.server;
    await waitForEvents(url, TOTAL, 30_000);
    assert.deepEqual(await numbersOf(url), intact);
    assert.equal((await idsIn(url)).size, TOTAL);
    await assertUnharmed(damaged.server);
  });
}

test('a removed database beside a damaged log is built from what the log still has', async () => {
  await using damaged = await startDamaged((dataDir) => {
    flip(logFiles(dataDir, '.sealed')[1] as string, 0.4);
    rmSync(join(dataDir, 'store.db'));
  });
  const { url } = damaged.server;
  const ids = await idsIn(url);
  assert.ok(ids.size < TOTAL);
  assert.equal(await waitForEvents(url, ids.size, 30_000), ids.size);
});

test('kill -9 in the middle of sealing leaves every event once and nothing half-made', async () => {
  using directory = temporaryDirectory();
  const args = ['--set', 'log.segment_size=1MiB', '--set', 'log.seal_level=19'];
  let sent = 0;
  for (let round = 0; round < 2; round++) {
    await using server = await ServerProcess.start({ dataDir: directory.path, args });
    await waitFor('a half-made segment', 30_000, async () => {
      if (logFiles(directory.path, '.tmp').length > 0) return true;
      const lines = Array.from({ length: 100 }, () =>
        JSON.stringify(eventOf(SERVICES[sent % 3] as string, randomBytes(3000).toString('base64'), { id: String(sent++) })),
      );
      const response = await fetch(new URL('/api/v1/events', server.url), { method: 'POST', body: lines.join('\n') });
      assert.equal(response.status, 202);
      return undefined;
    });
    await server.kill();
    assert.equal(logFiles(directory.path, '.tmp').length, 1);
  }
  await using server = await ServerProcess.start({ dataDir: directory.path });
  assert.equal(await waitForEvents(server.url, sent, 30_000), sent);
  assert.equal((await idsIn(server.url)).size, sent);
  await waitFor('everything to be sealed', 30_000, async () =>
    logFiles(directory.path, '.log').length === 1 ? true : undefined,
  );
  assert.equal((await idsIn(server.url)).size, sent);
  assert.deepEqual(logFiles(directory.path, '.tmp'), []);
});
