import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { findSets } from '../folder.ts';
import { readComponentMetrics } from './component-metrics.ts';
import { readLabelledValues, readWindowedValues } from './dated-values.ts';
import { readFeatureRecords } from './feature-records.ts';
import { readForestExports } from './forest-export.ts';
import { readResourceRows } from './resource-rows.ts';
import { readServerRows, type RowTruth } from './server-rows.ts';
import { readMicroservices } from './service-metrics.ts';
import { readTabularRows } from './tabular-rows.ts';
import { scoreForestCases } from '../scores/forest-scores.ts';

const data = process.env['HELIOS_TEST_DATA'];
const options = { skip: data === undefined && 'HELIOS_TEST_DATA is not set' };
const setsOf = (name: string): ReturnType<typeof findSets> => findSets(join(data as string, name));
const segmentCount = (streams: { truth: RowTruth }[]): number =>
  streams.reduce((sum, { truth }) => sum + truth.segments.length, 0);

test('asd and smd have the segments of their description, each with its causes', options, () => {
  for (const [name, entities, segments] of [
    ['asd', 6, 38],
    ['smd', 4, 71],
  ] as const) {
    const streams = setsOf(name).flatMap(readServerRows);
    assert.deepEqual([streams.length, segmentCount(streams)], [entities, segments]);
    for (const { truth } of streams) assert.ok(truth.causes.every((causes) => causes.length > 0));
  }
});

test('nab, ms-cloud and opensearch have the windows and segments of their descriptions', options, () => {
  const nab = setsOf('nab').flatMap(readWindowedValues);
  assert.deepEqual([nab.length, segmentCount(nab)], [31, 57]);
  assert.ok(nab.every(({ truth }) => truth.segments.every(([first, last]) => first >= truth.firstScored && last >= first)));
  assert.equal(
    nab.reduce((sum, { truth }) => sum + truth.labels.length, 0),
    179_391,
  );
  const cloud = setsOf('ms-cloud').flatMap(readLabelledValues);
  assert.deepEqual([cloud.length, segmentCount(cloud)], [33, 186]);
  assert.ok(cloud.every(({ telemetry }) => telemetry.tables[0]?.timeMs.every((timeMs) => timeMs > 0)));
  const [pair] = setsOf('opensearch').flatMap(readFeatureRecords);
  assert.deepEqual(pair?.truth.segments, [
    [4080, 4208],
    [5700, 5828],
    [7680, 8100],
    [8880, 9600],
  ]);
});

test('nezha, petshop and sock-shop have the faults of their descriptions', options, () => {
  const faults = ['nezha-online-boutique-2022-08-22', 'nezha-train-ticket-2023-01-29', 'nezha-train-ticket-2023-01-30'].map(
    (name) => {
      const [stream] = setsOf(name).flatMap(readMicroservices);
      return [stream?.truth.faults.length, stream?.telemetry.tables.length];
    },
  );
  assert.deepEqual(faults, [
    [24, 9],
    [14, 46],
    [8, 46],
  ]);
  const issues = setsOf('petshop').flatMap(readComponentMetrics);
  assert.equal(issues.length, 20);
  assert.equal(issues.filter(({ truth }) => truth.normalRows === 589).length, 16);
  assert.ok(issues.every(({ telemetry, truth }) => telemetry.tables.some(({ entity }) => entity === truth.rootCause)));
  const cases = setsOf('sock-shop').flatMap(readResourceRows);
  assert.equal(cases.length, 30);
  assert.ok(
    cases.every(({ telemetry, truth }) =>
      telemetry.tables.some(({ entity, series }) => entity === truth.service && series.includes(truth.resource)),
    ),
  );
});

test('tabular sets are read whole, and exported forests score as scikit-learn does', options, () => {
  const sets = setsOf('adbench').flatMap(readTabularRows);
  const shuttle = sets.find(({ name }) => name.endsWith('shuttle'));
  assert.deepEqual([sets.length, shuttle?.width, shuttle?.labels.length], [10, 9, 49_097]);
  const figures = scoreForestCases(setsOf('sklearn-golden').flatMap(readForestExports));
  assert.deepEqual(
    figures.map(({ value }) => value),
    [1, 1, 1, 1],
  );
});
