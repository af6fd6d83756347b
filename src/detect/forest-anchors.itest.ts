import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createPrng } from '../lib/prng.ts';
import { scoreRows, trainForest } from './isolation-forest.ts';

const folder = process.env['HELIOS_TEST_DATA'];
const SEEDS = [1, 2, 3, 4, 5];

/** AUROC of scikit-learn's forest (100 trees, 256 samples) on ADBench sets, mean over seeds. */
const ANCHORS: Record<string, number> = {
  '32_shuttle': 0.997,
  '38_thyroid': 0.978,
  '18_Ionosphere': 0.842,
  '25_musk': 0.9996,
  '28_pendigits': 0.947,
  '30_satellite': 0.695,
  '5_campaign': 0.698,
  '41_Waveform': 0.705,
  '12_fault': 0.567,
  '47_yeast': 0.394,
};
/** Sets on which five seeds agree; on the others they alone differ by more than the tolerance. */
const STEADY = new Set(['32_shuttle', '38_thyroid', '18_Ionosphere', '25_musk', '12_fault', '47_yeast']);

interface LabelledRows {
  rows: Float32Array;
  width: number;
  isAnomaly: boolean[];
}

function readSet(path: string): LabelledRows {
  const [, ...lines] = gunzipSync(readFileSync(path)).toString().trim().split('\n');
  const table = lines.map((line) => line.split(',').map(Number));
  const width = (table[0]?.length as number) - 1;
  return {
    rows: Float32Array.from(table.flatMap((row) => row.slice(0, width))),
    width,
    isAnomaly: table.map((row) => row[width] === 1),
  };
}

/** Area under the ROC curve by ranks (Mann-Whitney), ties counted half; lower scores are more abnormal. */
function auroc(scores: Float64Array, isAnomaly: boolean[]): number {
  const order = Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number));
  let rankSum = 0;
  let positives = 0;
  for (let i = 0; i < order.length;) {
    let j = i;
    while (j < order.length && scores[order[j] as number] === scores[order[i] as number]) j++;
    for (let k = i; k < j; k++) {
      if (!isAnomaly[order[k] as number]) continue;
      rankSum += (i + j + 1) / 2;
      positives++;
    }
    i = j;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (order.length - positives));
}

for (const [name, anchor] of Object.entries(ANCHORS)) {
  test(
    `AUROC on ${name} is near scikit-learn's ${anchor}`,
    { skip: folder === undefined && 'HELIOS_TEST_DATA is not set' },
    (context) => {
      const { rows, width, isAnomaly } = readSet(join(folder as string, 'adbench', `${name}.csv.gz`));
      const values = SEEDS.map((seed) => auroc(scoreRows(trainForest(rows, width, createPrng(seed)), rows), isAnomaly));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      context.diagnostic(`${name}: ${mean.toFixed(4)} (${values.map((value) => value.toFixed(3)).join(' ')}), anchor ${anchor}`);
      assert.ok(Math.abs(mean - anchor) <= (STEADY.has(name) ? 0.015 : 0.05), `${mean} against ${anchor}`);
    },
  );
}
