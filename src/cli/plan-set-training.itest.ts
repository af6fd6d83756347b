import assert from 'node:assert/strict';
import test from 'node:test';
import type { GridTable } from '../model/model-record.ts';
import { createProgram } from './program.ts';

async function run(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  const context = { version: '0', signal: new AbortController().signal, print, warn: () => {} };
  await createProgram(context).parseAsync(['model', 'train', ...args], { from: 'user' });
  return lines.join('\n');
}

test('forests are judged on the plan set without a running HELIOS, and the search finds better ones than the usual', async () => {
  const set = ['--plan-set', '--rate', '2', '--services', '3', '--json'];
  const usual = JSON.parse(await run(...set)) as GridTable;
  const { trees, samples, contamination, precision, recall } = usual.best;
  assert.deepEqual([usual.rows.length, trees, samples, contamination], [1, 100, 256, 0.05]);
  // Far above chance: 5 % of the time is anomalous.
  assert.ok((precision ?? 0) > 0.2 && (recall ?? 0) > 0.3, JSON.stringify(usual.best));
  const searched = JSON.parse(await run(...set, '--grid')) as GridTable;
  assert.equal(searched.rows.length, 108);
  assert.ok((searched.best.f1 ?? 0) >= (usual.best.f1 ?? 1) - 0.02);
});

test('the plan set goes with neither a service nor a range', async () => {
  await assert.rejects(run('--plan-set', '--service', 'shop'), { code: 'invalid_argument' });
});
