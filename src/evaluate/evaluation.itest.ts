import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { evaluateFolder, type EvaluationReport } from './evaluation.ts';
import {
  componentFiles,
  events,
  featureRecords,
  labelledSeries,
  resourceCase,
  serverRows,
  serviceMetrics,
  tabularRows,
  windowedSeries,
  writeFolder,
} from './folder.fixture.ts';

function everyLayout(): Record<string, string> {
  const { csv, windows } = windowedSeries(400, [300, 310]);
  const { data, labels } = featureRecords(1700, [1600, 1620]);
  const metrics = serviceMetrics(300, 200);
  const { normal, anomalous } = resourceCase();
  const components = Object.entries(componentFiles()).map(([name, text]) => [`shop/${name}`, text]);
  const tree = { left: [1, -1, -1], right: [2, -1, -1], feature: [0, -2, -2], threshold: [0.5, -2, -2], n: [4, 2, 2] };
  // Both leaves hold two of four rows: depth 1 and c(2) = 1, over c(4).
  const c4 = 2 * (Math.log(3) + 0.5772156649015329) - 1.5;
  const score = -(2 ** (-2 / c4));
  const golden = {
    name: 'tiny',
    offset_: -0.5,
    max_samples_: 4,
    trees: [tree],
    score_samples: [score, 0],
    decision_function: [score + 0.5, 0],
    predict: [1, 1],
  };
  return {
    ...Object.fromEntries(components),
    'boxes/a.csv.gz': serverRows(300, 300, [200, 210]),
    'boxes/a.causes.txt': '200-210:2',
    'windows/map.json': JSON.stringify({ 'g/a.csv': windows }),
    'windows/g/a.csv': csv,
    'cloud/f/a.csv': labelledSeries(400, [300, 310]),
    'pairs/a.data.json.gz': data,
    'pairs/a.label.json.gz': labels,
    'town/m.csv.gz': metrics.csv,
    'town/f.json': metrics.faults,
    'town/e.ndjson.gz': events(120),
    'cases/till-cpu/1/normal.csv.gz': normal,
    'cases/till-cpu/1/anomalous.csv.gz': anomalous,
    'table/t.csv.gz': tabularRows(),
    'golden/g.json': JSON.stringify({ X: [[0], [1]], Q: [[0], [1]], cases: [golden] }),
  };
}

function valueOf({ sets }: EvaluationReport, set: string, measure: string): number {
  const figures = sets.find(({ set: name }) => name === set)?.figures ?? [];
  const figure = figures.find((own) => own.measure === measure);
  assert.ok(figure, `${measure} in ${figures.map((own) => own.measure).join('; ')}`);
  return figure.value;
}

test('a folder of every layout is found and scored; a jump that nobody could miss is found in each', async () => {
  using written = writeFolder(everyLayout());
  const seen: string[] = [];
  const report = await evaluateFolder({
    folder: written.folder,
    detector: 'n-sigma',
    seed: 1,
    threads: 2,
    onProgress: (done, total, what) => void seen.push(`${what} ${done}/${total}`),
    onStream: (set, { detection }) => void seen.push(`${set}: ${detection.verdicts.length}`),
  });
  assert.deepEqual(
    report.sets.map(({ set, layout, recordings }) => [set, layout, recordings]),
    [
      ['boxes', 'servers', 1],
      ['cases', 'resource cases', 1],
      ['cloud', 'labelled series', 1],
      ['golden', 'forest parity', 1],
      ['pairs', 'feature pairs', 1],
      ['shop', 'component graph', 1],
      ['table', 'tabular rows', 1],
      ['town', 'microservices', 1],
      ['windows', 'windowed series', 1],
    ],
  );
  assert.equal(valueOf(report, 'boxes', 'segment recall'), 1);
  assert.equal(valueOf(report, 'boxes', 'metric at t0: AC@1'), 1);
  assert.equal(valueOf(report, 'cases', 'case recall'), 1);
  assert.equal(valueOf(report, 'cases', 'metric at t0: AC@1'), 1);
  assert.equal(valueOf(report, 'cloud', 'incident recall'), 1);
  assert.equal(valueOf(report, 'pairs', 'recall of windows'), 1);
  assert.equal(valueOf(report, 'shop', 'recall at 0 false rows a day'), 1);
  assert.equal(valueOf(report, 'shop', 'root at t0: AC@3'), 1);
  assert.ok(valueOf(report, 'table', 'AUROC') > 0.99);
  assert.equal(valueOf(report, 'town', 'metrics, after 20 rows: incident recall'), 1);
  assert.equal(valueOf(report, 'town', 'metrics, service at t0: AC@1'), 1);
  assert.equal(valueOf(report, 'windows', 'window recall'), 1);
  // The second query's score is made up.
  assert.equal(valueOf(report, 'golden', 'tiny: queries scored as by scikit-learn'), 0.5);
  assert.ok(seen.includes('boxes a 1/1') && seen.includes('town: 2'));
});

test('the detector itself plays events too, and ranks with the live rankers', async () => {
  using written = writeFolder(everyLayout());
  const options = { detector: 'helios', seed: 1, threads: 1, falseAlarmBudget: 0.05 } as const;
  const town = await evaluateFolder({ folder: join(written.folder, 'town'), ...options });
  assert.equal(valueOf(town, 'town', 'metrics, service at t0: AC@1'), 1);
  assert.equal(valueOf(town, 'town', 'events, incident recall'), 0);
  assert.equal(town.falseAlarmBudget, 0.05);
});

test('a file that cannot be read ends the evaluation with its name', async () => {
  using written = writeFolder({ 'w.json': JSON.stringify({ 'none.csv': [] }) });
  await assert.rejects(
    evaluateFolder({ folder: written.folder, detector: 'pca', seed: 1, threads: 1 }),
    /cannot read .*none\.csv/,
  );
});
