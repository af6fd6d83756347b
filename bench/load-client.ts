import { runLoadLoop } from './load-loop.ts';
import { parseLoadOptions } from './load-options.ts';

/**
 * The load client, a process of its own so that it does not wait for the event loop that it measures:
 *
 *     node bench/load-client.ts --url http://127.0.0.1:8080 [--door http] [--batch 100] [--connections 32] [--sessions 4]
 *         [--durationSeconds 10] [--warmupSeconds 2] [--rate 0] [--events 0] [--idempotency true] [--seed 1] [--fromMs 0 --spanMs 0]
 *         [--reportSeconds 0]
 *
 * Prints one line of JSON (LoadResult in load-result.ts), and before it one for every report (LoadReport).
 */
function write(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

write(await runLoadLoop(parseLoadOptions(process.argv.slice(2)), write));
