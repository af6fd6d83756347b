import assert from 'node:assert/strict';
import test from 'node:test';
import { runCrashes } from '../../bench/crash-run.ts';
import { temporaryDirectory } from '../../bench/server-process.ts';

const CLEAN = { lost: 0, duplicated: 0, unknown: 0, wrongServices: 0, rollupDifference: 0, exitCode: 0 };

for (const [signal, means] of [
  ['SIGKILL', 'kill -9'],
  ['SIGTERM', 'an orderly stop'],
] as const) {
  test(`${means} under load loses no acknowledged event and doubles none, nor what is derived from them`, async () => {
    using directory = temporaryDirectory();
    const outcome = await runCrashes({
      dataDir: directory.path,
      kills: 3,
      signal,
      seed: Number(process.env['HELIOS_TEST_SEED'] ?? 11),
      connections: 2,
      minLifeMs: 150,
      spreadMs: 500,
      args: ['--set', 'log.segment_size=1MiB'],
    });
    const { acknowledged, requests, retriedRequests, slowestRestartMs, kills, ...found } = outcome;
    assert.ok(acknowledged > 1000 && retriedRequests > 0, `the ${kills} stops met load: ${JSON.stringify(outcome)}`);
    assert.deepEqual(found, CLEAN, `${requests} requests, slowest restart ${slowestRestartMs} ms`);
  });
}
