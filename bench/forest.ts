/** Isolation forest: time to train and scores a second, medians, on seven Gaussian features. `node bench/forest.ts` */
import { decodeForest, encodeForest } from '../src/detect/forest-payload.ts';
import { scoreRow, scoreRows, trainForest } from '../src/detect/isolation-forest.ts';
import { createPrng } from '../src/lib/prng.ts';

const FEATURES = 7;
const HISTORY_ROWS = 4096;
const SCORED_ROWS = 20_000;

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

function timed(runs: number, run: (i: number) => unknown): number {
  const elapsed = Array.from({ length: runs }, (_, i) => {
    const start = performance.now();
    run(i);
    return performance.now() - start;
  });
  return median(elapsed);
}

const prng = createPrng(1);
const gaussian = (rows: number): Float32Array => Float32Array.from({ length: rows * FEATURES }, () => prng.normal());
const history = gaussian(HISTORY_ROWS);
const queries = gaussian(SCORED_ROWS);
const forest = trainForest(history, FEATURES, createPrng(2));

const coldStart = performance.now();
scoreRow(forest, queries);
const firstScoreMs = performance.now() - coldStart;
const trainMs = timed(15, (i) => trainForest(history, FEATURES, createPrng(i)));
const scoreMs = timed(7, () => scoreRows(forest, queries));
const payload = encodeForest({
  forest,
  median: new Float64Array(FEATURES),
  scale: new Float64Array(FEATURES).fill(1),
  threshold: -0.6,
});
const decodeMs = timed(15, () => decodeForest(payload));

process.stdout.write(`train, 100 trees x 256 of ${HISTORY_ROWS} rows x ${FEATURES}: ${trainMs.toFixed(2)} ms\n`);
process.stdout.write(
  `score: ${Math.round((SCORED_ROWS / scoreMs) * 1000)} rows/s (the very first row: ${firstScoreMs.toFixed(3)} ms)\n`,
);
process.stdout.write(`stored: ${payload.length} bytes, opened in ${decodeMs.toFixed(2)} ms\n`);
