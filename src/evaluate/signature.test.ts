import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
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
import { findSets } from './folder.ts';
import { kindOf, type FileKind } from './signature.ts';

test('every kind of file is known by its content, whatever its name and compression', () => {
  const { csv, windows } = windowedSeries(10, [4, 5]);
  const { data, labels } = featureRecords(10, [4, 5]);
  const metrics = serviceMetrics(10, 4);
  const components = componentFiles();
  const contents: [FileKind | null, string][] = [
    ['server_rows', serverRows(5, 5, [1, 2])],
    ['server_causes', '1-2:2,3\n4-9:1'],
    ['dated_values', csv],
    ['window_map', JSON.stringify({ 'a/b.csv': windows, 'c.csv': [] })],
    ['labelled_values', labelledSeries(5, [1, 2])],
    ['labelled_rows', tabularRows()],
    ['service_metrics', metrics.csv],
    ['faults', metrics.faults],
    ['events', events(3)],
    ['component_metrics', components['calm/quiet/metrics.csv'] as string],
    ['component_graph', components['calm/graph.csv'] as string],
    ['issue', components['calm/broken/1/target.json'] as string],
    ['resource_rows', resourceCase().normal],
    ['feature_records', data],
    ['window_list', labels],
    ['forest_export', JSON.stringify({ X: [[1]], Q: [[1]], cases: [] })],
    [null, '# Notes\n\nOn data.'],
    [null, '{"name":"package"}'],
    [null, '[1,2]'],
    [null, '{broken'],
    [null, 'a,b\n1,2'],
    [null, '\0\u0001\u0002'],
    [null, ''],
  ];
  const files = contents.map(([, text], i) => [`f${i}${i % 2 === 0 ? '.gz' : ''}`, text] as const);
  using written = writeFolder(Object.fromEntries(files));
  const found = files.map(([name]) => kindOf(join(written.folder, name)));
  assert.deepEqual(
    found,
    contents.map(([kind]) => kind),
  );
});

test('sets are found at any depth, and a nested layout is one set under the highest folder that holds nothing else', () => {
  using written = writeFolder({
    'README.md': 'text',
    'one/a.csv': serverRows(5, 5, [1, 2]),
    'two/a.csv': serverRows(5, 5, [1, 2]),
    'clouds/x/1.csv': labelledSeries(5, [1, 2]),
    'clouds/y/2.csv': labelledSeries(5, [1, 2]),
    'alone/causes.txt': '1-2:3',
  });
  assert.deepEqual(
    findSets(written.folder).map(({ name, layout, files }) => [name, layout, files.length]),
    [
      ['clouds', 'labelled series', 2],
      ['one', 'servers', 1],
      ['two', 'servers', 1],
    ],
  );
  assert.equal(findSets(join(written.folder, 'clouds'))[0]?.name, 'clouds');
});

test('a folder without labelled data, and one that is not there, are refused by name', () => {
  using written = writeFolder({ 'README.md': 'text' });
  assert.throws(() => findSets(written.folder), /cannot score .*: it holds no labelled data of a known layout/);
  assert.throws(() => findSets(join(written.folder, 'none')), /cannot read .*none/);
});
