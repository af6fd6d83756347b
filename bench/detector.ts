import { CleanWindows } from '../src/detect/clean-windows.ts';
import { detectConfigSchema } from '../src/detect/config.ts';
import type { Detector } from '../src/detect/detector.ts';
import { createDetector } from '../src/detect/engine.ts';
import { trainForestModel } from '../src/detect/forest-model.ts';
import { scoreRow, trainForest } from '../src/detect/isolation-forest.ts';
import { MetricEngine } from '../src/detect/metric-engine.ts';
import { fillStep, newBatch, seasonal, START_MS, STEP_MS } from '../src/detect/traffic.fixture.ts';
import { createPrng } from '../src/lib/prng.ts';

/**
 * What a verdict costs: windows of events (one service, every step closed, scored on all horizons and learned) and rows of metrics
 * (one entity of 20 series), each after it has history; beside them the isolation forest alone on seven features, and refitting it.
 *
 *     node bench/detector.ts [HOURS]      hours of 10 s windows that are measured, 24 unless given
 */
const HISTORY_STEPS = 4 * 360;
const steps = Math.round(Number(process.argv[2] ?? 24) * 360);
const SERIES = 20;
const FEATURES = 7;
const TRAINING_ROWS = 1440;
const FORESTS = 20;

/** Percentiles of `elapsed` milliseconds, in microseconds, and how many a second one core does. */
function line(name: string, elapsed: Float64Array): string {
  const sorted = elapsed.toSorted();
  const at = (q: number): string => (1000 * (sorted[Math.ceil(q * sorted.length) - 1] as number)).toFixed(1).padStart(9);
  const perSecond = Math.round((1000 * sorted.length) / sorted.reduce((sum, ms) => sum + ms, 0));
  return `${name.padEnd(44)}${at(0.5)}${at(0.99)}${at(1)}${String(perSecond).padStart(10)}\n`;
}

/** Times of `count` calls after `before` that are not measured, milliseconds. What `prepare` takes is left out. */
function timed(before: number, count: number, prepare: (i: number) => void, run: (i: number) => void): Float64Array {
  const elapsed = new Float64Array(count);
  for (let i = 0; i < before + count; i++) {
    prepare(i);
    const startMs = performance.now();
    run(i);
    if (i >= before) elapsed[i - before] = performance.now() - startMs;
  }
  return elapsed;
}

function eventWindows(): Float64Array {
  const detector: Detector = createDetector({ config: detectConfigSchema.parse({}), clock: 'events', seed: 1 });
  const services = [seasonal('service')];
  const batch = newBatch();
  const feed = (i: number): void => {
    const at = START_MS + i * STEP_MS;
    fillStep(batch, services, at, createPrng(i));
    detector.observe(batch, at, '');
  };
  return timed(HISTORY_STEPS, steps, feed, () => detector.advance(null));
}

function metricRows(): Float64Array {
  const engine = new MetricEngine({ seed: 1, falseAlarmBudget: 0.05, onVerdict: () => undefined });
  const prng = createPrng(2);
  const levels = new Float64Array(SERIES);
  const feed = (i: number): void => {
    const load = Math.sin((2 * Math.PI * i) / 8640) + 0.2 * prng.normal();
    for (let s = 0; s < SERIES; s++) {
      levels[s] = 0.9 * (levels[s] as number) + 0.1 * prng.normal();
      const value = 100 + 10 * load * ((s % 5) + 1) + 10 * (levels[s] as number);
      engine.observe('entity', `series-${s}`, START_MS + i * STEP_MS, value);
    }
  };
  return timed(HISTORY_STEPS, steps, feed, (i) => engine.advance(START_MS + (i + 1) * STEP_MS));
}

const prng = createPrng(3);
const history = Float32Array.from({ length: TRAINING_ROWS * FEATURES }, () => prng.normal());
const forest = trainForest(history, FEATURES, createPrng(4));
const row = new Float32Array(FEATURES);
const windows = Array.from({ length: TRAINING_ROWS }, () => Float64Array.from({ length: FEATURES }, () => prng.normal()));

function refit(seed: number): void {
  trainForestModel({
    service: 'service',
    windows: CleanWindows.learned(windows),
    features: detectConfigSchema.parse({}).features,
    contamination: 0.05,
    seed,
    windowMs: 300_000,
    trainedAtMs: START_MS,
    trainedFromMs: START_MS,
    trainedToMs: START_MS,
  });
}

process.stdout.write(
  `${''.padEnd(44)}${['median', 'p99', 'longest'].map((head) => head.padStart(9)).join('')}${'per s'.padStart(10)}  (microseconds, one core)\n`,
);
process.stdout.write(line('window of events, scored and learned', eventWindows()));
process.stdout.write(line('row of 20 metric series, scored and learned', metricRows()));
const draw = (): void => {
  for (let f = 0; f < FEATURES; f++) row[f] = prng.normal();
};
process.stdout.write(
  line(
    'baseline: isolation forest alone, one row',
    timed(1000, steps, draw, () => scoreRow(forest, row)),
  ),
);
process.stdout.write(
  line(
    `refit of the forest on ${TRAINING_ROWS} rows`,
    timed(3, FORESTS, () => undefined, refit),
  ),
);
