import { parseArgs } from 'node:util';
import { runLoad } from './load-run.ts';
import { textTable } from './load-table.ts';
import { residentBytes } from './process-usage.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';

/**
 * Resident memory of the server under steady load, sampled every 10 s. The slope is the median over all pairs of samples
 * after the warm-up (Theil and Sen), so that one sample taken during a collection does not tilt it.
 *
 *     node bench/memory.ts [--duration 120] [--rate 50000] [--period 10] [--json]      (the full figure: --duration 600)
 */
const { values: flags } = parseArgs({
  options: {
    duration: { type: 'string', default: '120' },
    rate: { type: 'string', default: '50000' },
    period: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});
const WARM_UP_SHARE = 0.2;
const MEGABYTE = 1e6;

interface Sample {
  seconds: number;
  megabytes: number;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/** Megabytes an hour. */
function slopeOf(samples: readonly Sample[]): number {
  const slopes = samples.flatMap((a, i) =>
    samples.slice(i + 1).map((b) => (3600 * (b.megabytes - a.megabytes)) / (b.seconds - a.seconds)),
  );
  return median(slopes);
}

using directory = temporaryDirectory();
await using server = await ServerProcess.start({ dataDir: directory.path });
const startMs = performance.now();
const samples: Sample[] = [];
const take = (): void => {
  const seconds = (performance.now() - startMs) / 1000;
  const megabytes = residentBytes(server.pid) / MEGABYTE;
  samples.push({ seconds, megabytes });
  if (!flags.json) process.stdout.write(`${seconds.toFixed(0).padStart(5)} s  ${megabytes.toFixed(0).padStart(5)} MB\n`);
};
take();
const timer = setInterval(take, Number(flags.period) * 1000);
const durationSeconds = Number(flags.duration);
const load = await runLoad({ url: server.url, rate: Number(flags.rate), durationSeconds, warmupSeconds: 0 });
clearInterval(timer);
take();
const steady = samples.filter(({ seconds }) => seconds >= WARM_UP_SHARE * durationSeconds);
const at = (index: number): number => steady.at(index)?.megabytes ?? NaN;
const third = Math.max(1, Math.floor(steady.length / 3));
const levelOf = (part: readonly Sample[]): number => median(part.map(({ megabytes }) => megabytes));
const figures = {
  startMegabytes: samples[0]?.megabytes,
  afterWarmUpMegabytes: at(0),
  lastMegabytes: at(-1),
  peakMegabytes: Math.max(...samples.map(({ megabytes }) => megabytes)),
  firstThirdMegabytes: levelOf(steady.slice(0, third)),
  lastThirdMegabytes: levelOf(steady.slice(-third)),
  slopeMegabytesPerHour: slopeOf(steady),
  eventsPerSecond: load.eventsPerSecond,
  p99Ms: load.p99Ms,
  notStored: load.notStored,
};
process.stdout.write(
  flags.json
    ? `${JSON.stringify({ ...figures, samples })}\n`
    : textTable(
        ['start', 'warm', 'last', 'peak', 'first third', 'last third', 'MB/h', 'events/s', 'p99 ms'],
        [
          Object.values(figures)
            .slice(0, 9)
            .map((value) => Number(Number(value).toFixed(1)).toLocaleString('en')),
        ],
      ),
);
