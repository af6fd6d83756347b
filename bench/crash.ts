import { parseArgs } from 'node:util';
import { runCrashes } from './crash-run.ts';
import { DOOR_NAMES, isDoorName } from './load-doors.ts';
import { textTable } from './load-table.ts';
import { temporaryDirectory } from './server-process.ts';

/**
 * kill -9 under load through every door at once, again and again, at seeded moments. Afterwards every acknowledged event and
 * point must be in the logs exactly once, and the counts that the API shows must be those of the events in the log. Clients with an
 * idempotency key repeat what was not answered; the others go on to the next request.
 *
 *     node bench/crash.ts [DOOR...] [--kills 10] [--seed 1] [--pace 20] [--min-life 300] [--spread 1500] [--json]
 */
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    pace: { type: 'string', default: '20' },
    'min-life': { type: 'string', default: '300' },
    spread: { type: 'string', default: '1500' },
    json: { type: 'boolean', default: false },
  },
});
const doors = positionals.filter(isDoorName);
if (doors.length < positionals.length) throw new Error(`the doors are ${DOOR_NAMES.join(', ')}`);
using directory = temporaryDirectory();
const outcome = await runCrashes({
  dataDir: directory.path,
  doors: doors.length > 0 ? doors : DOOR_NAMES,
  kills: Number(flags.kills),
  seed: Number(flags.seed),
  paceMs: Number(flags.pace),
  minLifeMs: Number(flags['min-life']),
  spreadMs: Number(flags.spread),
  // Small segments, so that kills also meet rolling and sealing.
  args: ['--set', 'log.segment_size=4MiB'],
});
const { events, points } = outcome;
if (flags.json) {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
} else {
  process.stdout.write(
    textTable(
      [`${outcome.kills} x kill -9`, 'acknowledged', 'stored', 'lost', 'duplicated', 'unknown', 'wrong rollups'],
      [
        ['events', outcome.acknowledgedEvents, outcome.storedEvents, ...Object.values(events), outcome.rollupDifference],
        ['points', outcome.acknowledgedPoints, outcome.storedPoints, ...Object.values(points), ''],
      ],
    ),
  );
  const byDoor = Object.entries(outcome.acknowledgedByDoor).map(([door, count]) => `${door} ${count.toLocaleString('en')}`);
  process.stdout.write(`acknowledged by door: ${byDoor.join(', ')}\n`);
  process.stdout.write(
    `${outcome.retriedRequests} requests repeated under their key; slowest restart ${Math.round(outcome.slowestRestartMs)} ms\n`,
  );
}
const wrong = [events, points].flatMap((comparison) => Object.values(comparison)).concat(outcome.wrongServices);
if (wrong.some((count) => count > 0) || outcome.exitCode !== 0) process.exitCode = 1;
