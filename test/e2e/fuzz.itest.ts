import assert from 'node:assert/strict';
import test from 'node:test';
import { runFuzz } from '../../bench/fuzz-run.ts';
import { temporaryDirectory } from '../../bench/server-process.ts';

const MEMORY_SLACK_MB = 200;

test('thousands of malformed inputs through every door end in refusals, and cost others nothing', async () => {
  using directory = temporaryDirectory();
  const seed = Number(process.env['HELIOS_TEST_SEED'] ?? 7);
  const inputs = Number(process.env['HELIOS_TEST_MUTATIONS'] ?? 4000);
  const outcome = await runFuzz({ dataDir: directory.path, inputs, seed });
  const story = `seed ${seed}: ${JSON.stringify(outcome)}`;
  assert.ok(outcome.inputs > inputs * 0.99 && outcome.acknowledged > 0, story);
  assert.deepEqual(outcome.failures, [], story);
  assert.deepEqual([outcome.lost, outcome.duplicated, outcome.pendingBytes, outcome.exitCode], [0, 0, 0, 0], story);
  assert.doesNotMatch(outcome.errorOutput, /"level":50|rejection|a bug|Warning/i, story);
  assert.ok(outcome.afterMegabytes < outcome.levelMegabytes + MEMORY_SLACK_MB, story);
});
