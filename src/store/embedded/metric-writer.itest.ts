import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { T0 } from '../contract/metric-fixture.ts';
import { MetricStoreDir } from './metric-store-fixture.ts';

const COMMITTING = join(import.meta.dirname, 'metric-committing-fixture.ts');

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

test('killed again and again while it commits and merges, the store holds exactly the points below its offset', async () => {
  using place = new MetricStoreDir();
  for (const commits of [1, 23, 7, 40, 15, 60]) {
    const printed = await killAfter(place.dir, commits);
    const fixture = await place.start();
    const offset = fixture.writer.offset();
    assert.ok(offset >= printed, `a commit that was reported is kept: ${printed} of ${offset}`);
    const expected: Record<string, [number, number][]> = {};
    for (let at = 0; at < offset; at++) {
      for (let i = 0; i <= at % 7; i++) (expected[`m${i}`] ??= []).push([T0 + at * 1000, at]);
    }
    assert.deepEqual(await fixture.raw(), expected);
    assert.deepEqual(place.lines, []);
    await fixture.stop();
  }
});
