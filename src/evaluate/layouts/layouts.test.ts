import assert from 'node:assert/strict';
import test from 'node:test';
import type { MetricDetectorOptions } from '../../detect/metric-detector.ts';
import { detectSeries } from '../detection-job.ts';
import {
  componentFiles,
  featureRecords,
  labelledSeries,
  resourceCase,
  serverRows,
  serviceMetrics,
  windowedSeries,
  writeFolder,
} from '../folder.fixture.ts';
import { findSets, type FoundSet } from '../folder.ts';
import { sampleStepMs, type LabelledStream } from '../telemetry.ts';
import { readComponentMetrics } from './component-metrics.ts';
import { readLabelledValues, readWindowedValues } from './dated-values.ts';
import { readFeatureRecords } from './feature-records.ts';
import { readResourceRows } from './resource-rows.ts';
import { readServerRows } from './server-rows.ts';
import { readMicroservices } from './service-metrics.ts';

function read<Truth>(files: Record<string, string>, reader: (set: FoundSet) => LabelledStream<Truth>[]): LabelledStream<Truth>[] {
  using written = writeFolder(files);
  return findSets(written.folder).flatMap(reader);
}

test('servers: the train part is the warm-up, causes are found by their first row, and the label is no series', () => {
  const [stream] = read(
    { 'box-9.csv.gz': serverRows(10, 20, [4, 6]), 'box-9.causes.txt': '4-6:2\n15-16:1', 'other.causes.txt': '4-6:1' },
    readServerRows,
  );
  assert.ok(stream);
  assert.deepEqual(stream.telemetry.tables[0]?.series, ['m1', 'm2']);
  assert.equal(stream.name, 'box-9');
  assert.deepEqual(stream.truth.segments, [[14, 16]]);
  assert.deepEqual(stream.truth.causes, [['m2']]);
  assert.equal(stream.truth.firstScored, 10);
  assert.equal(sampleStepMs(stream.telemetry.tables[0].timeMs), 60_000);
});

test('windowed series: rows keep their place where stamps repeat, and ends of windows are rows', () => {
  const { csv, windows } = windowedSeries(40, [20, 24]);
  const streams = read(
    { 'windows.json': JSON.stringify({ 'g/a.csv': windows, 'g/b.csv': [] }), 'g/a.csv': csv, 'g/b.csv': csv },
    readWindowedValues,
  );
  assert.deepEqual(
    streams.map(({ name, truth }) => [name, truth.segments, truth.firstScored]),
    [
      ['g/a.csv', [[21, 25]], 6],
      ['g/b.csv', [], 6],
    ],
  );
  assert.equal(streams[0]?.telemetry.tables[0]?.timeMs.length, 41);
  assert.equal(streams[0]?.truth.labels.indexOf(1), 21);
});

test('labelled series: quotes, marks and empty values are read, and 15 % of the rows are the warm-up', () => {
  const [stream] = read({ 'a.csv': labelledSeries(40, [20, 24]) }, readLabelledValues);
  assert.deepEqual(stream?.truth.segments, [[20, 24]]);
  assert.equal(stream.truth.firstScored, 6);
  assert.ok(Number.isNaN(stream.telemetry.tables[0]?.values[1]));
  assert.ok((stream.telemetry.tables[0]?.values[22] as number) > 50);
});

test('feature pairs: records meet the windows whose file is named most like theirs', () => {
  const { data, labels } = featureRecords(1600, [1550, 1560]);
  const other = JSON.stringify([['2031-01-01T00:00:00Z', '2031-01-01T01:00:00Z']]);
  const [stream] = read({ 'pair.data.json.gz': data, 'pair.label.json': labels, 'z.label.json': other }, readFeatureRecords);
  assert.deepEqual(stream?.truth.segments, [[1550, 1560]]);
  assert.deepEqual(stream.telemetry.tables[0]?.series, ['a', 'b']);
  assert.equal(stream.truth.firstScored, 1500);
});

test('microservices: rows of a service are in order of time, and NaN is a missing value', () => {
  const { csv, faults } = serviceMetrics(30, 20);
  const [head, ...rows] = csv.trim().split('\n');
  const [stream] = read({ 'm.csv': [head, ...rows.toReversed()].join('\n'), 'f.json': faults }, readMicroservices);
  assert.ok(stream);
  const [table] = stream.telemetry.tables;
  assert.equal(stream.telemetry.tables.length, 2);
  assert.deepEqual(table?.timeMs, table?.timeMs.toSorted());
  assert.ok(Number.isNaN(table?.values[1]));
  assert.equal(stream.truth.faults[0]?.endMs, (stream.truth.faults[0]?.startMs as number) + 180_000);
  assert.equal(stream.telemetry.eventsPath, null);
});

test('component graph: an issue recorded at another time follows the normal data at once', () => {
  const [stream] = read(componentFiles(), readComponentMetrics);
  assert.ok(stream);
  const [table] = stream.telemetry.tables;
  assert.equal(table?.timeMs.length, 205);
  assert.equal(sampleStepMs(table.timeMs.subarray(198)), 300_000);
  assert.deepEqual(table.series, ['latency Average', 'requests Sum']);
  assert.deepEqual(stream.telemetry.calls, [
    ['front', 'middle'],
    ['middle', 'back'],
  ]);
  const { target, rootCause, normalRows, scenario } = stream.truth;
  assert.deepEqual(
    { target, rootCause, normalRows, scenario },
    { target: 'front', rootCause: 'back', normalRows: 200, scenario: 'calm' },
  );
});

test('resource cases: the faulty file follows the normal one whatever their stamps, and the folder is the truth', () => {
  const { normal, anomalous } = resourceCase();
  const [stream] = read(
    { 'till-cpu/1/normal.csv.gz': normal, 'till-cpu/1/anomalous.csv.gz': anomalous, 'x-y/2/anomalous.csv': anomalous },
    readResourceRows,
  );
  assert.ok(stream);
  const [till] = stream.telemetry.tables;
  assert.deepEqual(
    stream.telemetry.tables.map(({ entity, series }) => [entity, series]),
    [
      ['till', ['cpu', 'mem', 'lat_50']],
      ['stock', ['cpu']],
    ],
  );
  assert.equal(till?.timeMs.length, 180);
  assert.equal(stream.truth.onsetMs, till.timeMs[120]);
  assert.equal(stream.truth.scoredFromMs, till.timeMs[72]);
  assert.deepEqual([stream.truth.service, stream.truth.resource], ['till', 'cpu']);
});

/** All that a detector is given, in order. */
function whatArrives(streams: readonly LabelledStream<unknown>[]): unknown[] {
  const calls: unknown[] = [];
  const record = (options: MetricDetectorOptions) => ({
    observe: (...args: unknown[]) => void calls.push([options.seed, options.falseAlarmBudget, ...args]),
    target: () => null,
    advance: (untilMs: number) => void calls.push(untilMs),
  });
  for (const { telemetry } of streams) {
    calls.push([telemetry.eventsPath, telemetry.calls, Object.keys(telemetry).length]);
    detectSeries(telemetry, record, { seed: 1, falseAlarmBudget: 0.1 });
  }
  return calls;
}

test('other labels, causes, windows, faults and folder names change nothing that a detector is given', () => {
  const relabelled = (text: string): string =>
    text.replaceAll(/,("?)[01]\1(\r?)$/gm, (_, quote, end) => `,${quote}1${quote}${end}`);
  const { csv, windows } = windowedSeries(30, [20, 24]);
  const { data, labels } = featureRecords(30, [20, 24]);
  const metrics = serviceMetrics(30, 20);
  const components = componentFiles();
  const { normal, anomalous } = resourceCase();
  const pairs: [Record<string, string>, Record<string, string>, (set: FoundSet) => LabelledStream<unknown>[]][] = [
    [
      { 'a.csv': serverRows(9, 9, [3, 5]), 'a.causes.txt': '3-5:1' },
      { 'a.csv': relabelled(serverRows(9, 9, [3, 5])) },
      readServerRows,
    ],
    [{ 'a.csv': labelledSeries(20, [9, 9]) }, { 'a.csv': relabelled(labelledSeries(20, [9, 9])) }, readLabelledValues],
    [
      { 'w.json': JSON.stringify({ 'a.csv': windows }), 'a.csv': csv },
      { 'w.json': '{"a.csv":[]}', 'a.csv': csv },
      readWindowedValues,
    ],
    [{ 'a.json': data, 'b.json': labels }, { 'a.json': data }, readFeatureRecords],
    [
      { 'm.csv': metrics.csv, 'f.json': metrics.faults },
      { 'm.csv': metrics.csv, 'f.json': metrics.faults.replaceAll('stock', 'till') },
      readMicroservices,
    ],
    [
      components,
      {
        ...components,
        'calm/broken/1/target.json': (components['calm/broken/1/target.json'] as string).replaceAll('back', 'middle'),
      },
      readComponentMetrics,
    ],
    [
      { 'till-cpu/1/normal.csv': normal, 'till-cpu/1/anomalous.csv': anomalous },
      { 'stock-mem/7/normal.csv': normal, 'stock-mem/7/anomalous.csv': anomalous },
      readResourceRows,
    ],
  ];
  for (const [files, others, reader] of pairs) {
    const [one, other] = [read(files, reader), read(others, reader)];
    assert.deepEqual(whatArrives(one), whatArrives(other));
    assert.notDeepEqual(
      one.map(({ truth }) => truth),
      other.map(({ truth }) => truth),
    );
  }
});
