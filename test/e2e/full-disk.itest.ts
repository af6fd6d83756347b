import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { countEvents, getJson, listAll, waitFor, waitForEvents } from '../../bench/server-api.ts';
import type { ListPage } from '../../bench/server-api.ts';
import { ServerProcess } from '../../bench/server-process.ts';
import type { Event } from '../../src/model/event.ts';
import { assertCleanEnd, eventOf } from './watched-server.ts';

const DISK_MIB = 24;
const MIB = 2 ** 20;
const LAUNCHER = join(import.meta.dirname, '../../bin/helios');
const ARGS = ['--set', 'log.segment_size=2MiB'];

/** A disk of its own, small enough to fill; null where nobody may mount one. */
function mountSmallDisk(): (Disposable & { path: string }) | null {
  const path = mkdtempSync(join(tmpdir(), 'helios-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', path]);
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  if (status !== 0) {
    remove();
    return null;
  }
  return {
    path,
    [Symbol.dispose]() {
      spawnSync('umount', ['-l', path]);
      remove();
    },
  };
}

/** Takes up to `bytes` of the disk, or all that is left. */
function takeSpace(file: string, bytes: number): void {
  const fd = openSync(file, 'w');
  try {
    for (const size of [MIB, 4096]) {
      const block = Buffer.alloc(size);
      for (let taken = 0; taken < bytes; taken += writeSync(fd, block));
    }
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    if (bytes === Infinity) takeLastPages(fd);
  } finally {
    closeSync(fd);
  }
}

function takeLastPages(fd: number): void {
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  }
}

/** Posts events that compress badly, and knows which were acknowledged. */
class Writer {
  readonly acknowledged = new Set<string>();
  #next = 0;

  async post(url: string): Promise<{ status: number; retryAfter: number; code: string }> {
    const ids = Array.from({ length: 100 }, () => String(this.#next++));
    const lines = ids.map((id) =>
      JSON.stringify(eventOf(`shop-${Number(id) % 5}`, randomBytes(2000).toString('base64'), { id })),
    );
    const response = await fetch(new URL('/api/v1/events', url), { method: 'POST', body: lines.join('\n') });
    const { code = '' } = (await response.json()) as { code?: string };
    if (response.status === 202) for (const id of ids) this.acknowledged.add(id);
    return { status: response.status, retryAfter: Number(response.headers.get('retry-after')), code };
  }

  /** Each acknowledged event is there once, and each is counted. */
  async assertNothingLost(url: string): Promise<void> {
    assert.equal(await waitForEvents(url, this.acknowledged.size, 30_000), this.acknowledged.size);
    const found: string[] = [];
    for await (const { metadata } of listAll<Event>(url, '/api/v1/events', { from: 0 })) found.push(String(metadata['id']));
    assert.equal(found.length, this.acknowledged.size);
    assert.deepEqual(new Set(found), this.acknowledged);
  }
}

async function postChange(url: string): Promise<{ status: number; retryAfter: string | null }> {
  const body = JSON.stringify({ service: 'shop', version: randomBytes(8).toString('hex'), description: 'x'.repeat(4000) });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(new URL('/api/v1/changes', url), { method: 'POST', body, headers });
  await response.arrayBuffer();
  return { status: response.status, retryAfter: response.headers.get('retry-after') };
}

async function fillByPosting(writer: Writer, url: string): Promise<void> {
  for (;;) {
    const { status, code, retryAfter } = await writer.post(url);
    if (status === 202) continue;
    assert.deepEqual([status, code, retryAfter], [503, 'disk_full', 10]);
    return;
  }
}

async function assertReadable(url: string): Promise<void> {
  assert.equal((await fetch(new URL('/healthz', url))).status, 200);
  const ready = await fetch(new URL('/readyz', url));
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /the disk is full/);
  const { items } = await getJson<ListPage<Event>>(url, '/api/v1/events', { limit: 5 });
  assert.equal(items.length, 5);
  assert.ok((await countEvents(url)) > 0);
}

const disk = mountSmallDisk();
const skip = disk === null ? 'cannot mount a small disk here: needs root and tmpfs' : false;

test(
  'a full disk is told of, stops nothing else, and costs no acknowledged event, now or after a restart',
  { skip },
  async () => {
    assert.ok(disk);
    using _ = disk;
    const dataDir = join(disk.path, 'data');
    const [reserve, rest] = [join(disk.path, 'reserve'), join(disk.path, 'rest')];
    const writer = new Writer();
    takeSpace(reserve, 8 * MIB);
    let server = await ServerProcess.start({ dataDir, args: ARGS });
    try {
      await writer.post(server.url);
      await waitForEvents(server.url, 100, 30_000);
      await fillByPosting(writer, server.url);
      await assertReadable(server.url);
      takeSpace(rest, Infinity);
      const refused = await waitFor('the store to be refused too', 30_000, async () => {
        const answer = await postChange(server.url);
        return answer.status === 201 ? undefined : answer;
      });
      assert.deepEqual(refused, { status: 503, retryAfter: '10' });
      await assertReadable(server.url);

      rmSync(rest);
      rmSync(reserve);
      await waitFor('events to be taken again', 30_000, async () => {
        return (await writer.post(server.url)).status === 202 ? true : undefined;
      });
      await waitFor('changes to be taken again', 30_000, async () =>
        (await postChange(server.url)).status === 201 ? true : undefined,
      );
      assert.equal((await fetch(new URL('/readyz', server.url))).status, 200);
      await writer.assertNothingLost(server.url);

      await fillByPosting(writer, server.url);
      takeSpace(rest, Infinity);
      assert.equal(await server.stop(), 0, server.errorOutput);
      takeSpace(reserve, Infinity);
      const { status, stderr } = spawnSync(LAUNCHER, ['serve', '--port', '0', '--data-dir', dataDir], { encoding: 'utf8' });
      assert.equal(status, 1);
      assert.match(stderr, /^(\{.*\n)*helios: cannot [^\n]*(disk is full|no space left on device)[^\n]*\n$/);
      rmSync(reserve);
      rmSync(rest);
      server = await ServerProcess.start({ dataDir, args: ARGS });
      await writer.assertNothingLost(server.url);
      await assertCleanEnd(server);
    } finally {
      await server.kill();
    }
  },
);
