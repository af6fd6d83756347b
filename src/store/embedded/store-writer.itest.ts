import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { HOUR_MS, T0 } from '../contract/store-fixture.ts';
import { StoreDir } from './store-fixture.ts';

const COMMITTING = join(import.meta.dirname, 'committing-fixture.ts');

/** Runs the committing process until it has printed `commits` offsets, then kills it; the last offset that it printed. */
async function killAfter(dir: string, commits: number): Promise<number> {
  const child = spawn(process.execPath, [COMMITTING, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  let last = 0;
  let left = commits;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (--left === 0) child.kill('SIGKILL');
  }
  await exit;
  return last;
}

test('killed again and again while it commits, the store holds exactly the records below its offset', async () => {
  using place = new StoreDir();
  for (const commits of [1, 23, 7, 40, 15]) {
    const printed = await killAfter(place.dir, commits);
    await using writer = await place.openWriter();
    await using store = await place.openStore();
    const offset = writer.offset();
    assert.ok(offset >= printed, `a commit that was reported is kept: ${printed} of ${offset}`);
    assert.equal(Number(Buffer.from(writer.checkpoint()?.payload ?? []).toString()), offset);
    const answer = await store.metrics({ fromMs: T0, toMs: T0 + HOUR_MS, names: ['event_count'], stepMs: HOUR_MS });
    assert.equal(answer.series[0]?.points[0]?.[1], 3 * offset);
    const templates = await store.templates({ fromMs: T0, toMs: T0 + HOUR_MS, limit: 1 });
    assert.equal(templates[0]?.count, offset);
    assert.deepEqual(place.lines, []);
  }
});
