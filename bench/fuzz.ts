import { parseArgs } from 'node:util';
import { runFuzz } from './fuzz-run.ts';
import { textTable } from './load-table.ts';
import { temporaryDirectory } from './server-process.ts';

/**
 * Malformed inputs through every door: damaged bodies of each format, encodings and headers that do not fit, deep nesting, broken
 * HTTP and HTTP/2 framing. Beside them well-behaved clients post through every door. The process stays alive, answers no 5xx but
 * 503 (and 501, 505 for HTTP it does not speak) and no gRPC UNKNOWN, INTERNAL or DATA_LOSS, its memory returns to its level, and
 * everything acknowledged to the well-behaved is stored.
 *
 *     node bench/fuzz.ts [--inputs 100000] [--seed 1] [--json]                          (the full figure: --inputs 1000000)
 */
const { values: flags } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
/** Of the level: what the heap and the allocator keep moves by this much either way. */
const MEMORY_SLACK = 1.5;

using directory = temporaryDirectory();
const outcome = await runFuzz({ dataDir: directory.path, inputs: Number(flags.inputs), seed: Number(flags.seed) });
const { inputs, seconds, failures, acknowledged, lost, duplicated, levelMegabytes, afterMegabytes, exitCode } = outcome;
if (flags.json) {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
} else {
  process.stdout.write(
    textTable(
      ['inputs', 'inputs/s', 'bad answers', 'acknowledged beside', 'lost', 'duplicated', 'MB before', 'MB after', 'exit code'],
      [
        [
          inputs.toLocaleString('en'),
          Math.round(inputs / seconds),
          failures.length,
          acknowledged,
          lost,
          duplicated,
          Math.round(levelMegabytes),
          Math.round(afterMegabytes),
          String(exitCode),
        ],
      ],
    ),
  );
  const answers = Object.entries(outcome.answers).map(([answer, count]) => `${answer}: ${count.toLocaleString('en')}`);
  process.stdout.write(`${answers.join(', ')}\n`);
  for (const failure of failures) process.stdout.write(`seed ${flags.seed} ${JSON.stringify(failure)}\n`);
  if (outcome.errorOutput !== '') process.stdout.write(`the server wrote: ${outcome.errorOutput}\n`);
}
const isBad = failures.length + lost + duplicated + outcome.pendingBytes > 0 || exitCode !== 0;
if (isBad || afterMegabytes > levelMegabytes * MEMORY_SLACK) process.exitCode = 1;
