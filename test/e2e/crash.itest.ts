import assert from 'node:assert/strict';
import test from 'node:test';
import { runCrashes } from '../../bench/crash-run.ts';
import { temporaryDirectory } from '../../bench/server-process.ts';

test('kill -9 under load loses no acknowledged event and doubles none, nor what is derived from them', async () => {
  using directory = temporaryDirectory();
  const { acknowledged, retriedRequests, slowestRestartMs, ...found } = await runCrashes({
    dataDir: directory.path,
    kills: 3,
    seed: Number(process.env['HELIOS_TEST_SEED'] ?? 11),
    connections: 2,
    minLifeMs: 150,
    spreadMs: 500,
    args: ['--set', 'log.segment_size=1MiB'],
  });
  assert.ok(acknowledged > 1000 && retriedRequests > 0 && slowestRestartMs > 0, 'the kills met load');
  const clean = { lost: 0, duplicated: 0, unknown: 0, wrongServices: 0, rollupDifference: 0 };
  assert.deepEqual({ ...found, requests: 0 }, { kills: 3, requests: 0, ...clean, exitCode: 0 });
});
