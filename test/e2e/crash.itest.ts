import assert from 'node:assert/strict';
import test from 'node:test';
import { runCrashes } from '../../bench/crash-run.ts';
import { DOOR_NAMES } from '../../bench/load-doors.ts';
import { temporaryDirectory } from '../../bench/server-process.ts';

const CLEAN = { lost: 0, duplicated: 0, unknown: 0 };

for (const [signal, means] of [
  ['SIGKILL', 'kill -9'],
  ['SIGTERM', 'an orderly stop'],
] as const) {
  test(`${means} under load through every door loses and doubles nothing acknowledged, nor what is derived from it`, async () => {
    using directory = temporaryDirectory();
    const outcome = await runCrashes({
      dataDir: directory.path,
      doors: DOOR_NAMES,
      kills: 3,
      signal,
      seed: Number(process.env['HELIOS_TEST_SEED'] ?? 11),
      paceMs: 10,
      minLifeMs: 150,
      spreadMs: 500,
      args: ['--set', 'log.segment_size=1MiB'],
    });
    const { events, points, wrongServices, rollupDifference, exitCode, acknowledgedByDoor, retriedRequests } = outcome;
    const story = JSON.stringify(outcome);
    assert.deepEqual(Object.keys(acknowledgedByDoor).toSorted(), DOOR_NAMES.toSorted(), `every door took something: ${story}`);
    assert.ok(retriedRequests > 0, `the stops met requests in flight: ${story}`);
    assert.deepEqual({ events, points }, { events: CLEAN, points: CLEAN }, story);
    assert.deepEqual(
      { wrongServices, rollupDifference, exitCode },
      { wrongServices: 0, rollupDifference: 0, exitCode: 0 },
      story,
    );
  });
}
