import { parseArgs } from 'node:util';
import { runCrashes } from './crash-run.ts';
import { textTable } from './load-table.ts';
import { temporaryDirectory } from './server-process.ts';

/**
 * kill -9 under load, again and again, at seeded moments: every acknowledged event must be there exactly once afterwards, as an
 * event and in the counts derived from it. The client repeats unanswered requests under their Idempotency-Key.
 *
 *     node bench/crash.ts [--kills 10] [--seed 1] [--connections 4] [--min-life 500] [--spread 1500] [--json]
 */
const { values: flags } = parseArgs({
  options: {
    kills: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    connections: { type: 'string', default: '4' },
    'min-life': { type: 'string', default: '500' },
    spread: { type: 'string', default: '1500' },
    json: { type: 'boolean', default: false },
  },
});
using directory = temporaryDirectory();
const outcome = await runCrashes({
  dataDir: directory.path,
  kills: Number(flags.kills),
  seed: Number(flags.seed),
  connections: Number(flags.connections),
  minLifeMs: Number(flags['min-life']),
  spreadMs: Number(flags.spread),
  // Small segments, so that kills also meet rolling and sealing.
  args: ['--set', 'log.segment_size=4MiB'],
});
const { lost, duplicated, unknown, wrongServices, rollupDifference, slowestRestartMs } = outcome;
if (flags.json) {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
} else {
  process.stdout.write(
    textTable(
      ['kill -9', 'acknowledged', 'retried requests', 'lost', 'duplicated', 'unknown', 'wrong rollups', 'slowest restart ms'],
      [
        [
          String(outcome.kills),
          outcome.acknowledged,
          outcome.retriedRequests,
          lost,
          duplicated,
          unknown,
          rollupDifference,
          Math.round(slowestRestartMs),
        ],
      ],
    ),
  );
}
if (lost + duplicated + unknown + wrongServices > 0) process.exitCode = 1;
