import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import type { RunOptions, StreamResult } from './detection-run.ts';
import { summarise } from './detection-summary.ts';
import { detailText, summaryText } from './detection-table.ts';

/**
 * Detection on generated streams, without HTTP: each seed is a fleet of its own, in a process of its own, with faults of all kinds
 * in turn and harmless things every three hours. Scored by the evaluation protocol (src/evaluate/protocol-*.ts): the first 15 % are
 * warm-up, a verdict's time is when it was known. Seeds 1 to 5 are for tuning; the table in EVALUATION.md comes from seeds 101 to 105, which
 * are never run while anything is tuned.
 *
 *     node bench/detection.ts [--seeds 1,2,3,4,5] [--days 12] [--services 10] [--rate 30] [--faults-per-day 7] [--workers 2] [--json] [--verbose]
 */
async function runSeed(options: RunOptions): Promise<StreamResult> {
  const worker = join(import.meta.dirname, 'detection-worker.ts');
  const child = spawn(process.execPath, [worker, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`seed ${options.seed} ended with ${code}`);
  return JSON.parse(output) as StreamResult;
}

const { values: flags } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3,4,5' },
    days: { type: 'string', default: '12' },
    services: { type: 'string', default: '10' },
    rate: { type: 'string', default: '30' },
    'faults-per-day': { type: 'string', default: '7' },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const waiting = flags.seeds.split(',').map(Number);
const streams: StreamResult[] = [];

async function work(): Promise<void> {
  for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
    const [days, services, rate, faultsPerDay] = [flags.days, flags.services, flags.rate, flags['faults-per-day']].map(
      Number,
    ) as [number, number, number, number];
    const stream = await runSeed({ seed, days, services, rate, faultsPerDay });
    streams.push(stream);
    const found = stream.faults.filter((fault) => fault.found).length;
    const eventsPerSecond = Math.round(stream.events / stream.seconds);
    process.stderr.write(
      `seed ${seed}: ${found} of ${stream.faults.length} found, ${stream.falseIncidents.length} false, ${stream.seconds.toFixed(0)} s, ${eventsPerSecond} events/s\n`,
    );
    if (flags.verbose) process.stderr.write(detailText(stream));
  }
}

await Promise.all(Array.from({ length: Number(flags.workers) }, work));
const summary = summarise(streams.toSorted((a, b) => a.seed - b.seed));
process.stdout.write(flags.json ? `${JSON.stringify(summary)}\n` : `${summaryText(summary)}\n`);
