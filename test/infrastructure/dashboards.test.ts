import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { dashboardText, dashboards } from '../../scripts/dashboards/dashboards.ts';
import { panelQueries, panelsOf } from './panel-queries.ts';
import { exportedSeries, problemsOfPromql, readPromql } from './promql.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const boards = Object.entries(dashboards());

test('the dashboards are those of this code (npm run dashboards writes them)', () => {
  for (const [path, board] of boards) assert.equal(read(path), dashboardText(board), `${path} is stale`);
  const files = readdirSync(join(root, 'infrastructure/grafana/dashboards')).map(
    (name) => `infrastructure/grafana/dashboards/${name}`,
  );
  assert.deepEqual(files.toSorted(), boards.map(([path]) => path).toSorted());
});

test('the dashboards of the project plan show what it names', () => {
  const plan: Record<string, RegExp[]> = {
    'HELIOS: System Health': [/^Event throughput$/, /^Ingest latency$/, /^Errors by service$/, /^Kafka lag$/],
    'HELIOS: ML Performance': [/^Anomalies detected$/, /^Precision/, /^Recall/, /^Distribution/, /false-positive rate/i],
    'HELIOS: Cost Tracking': [/^Reports/, /tokens and USD/, /^Storage by month$/],
  };
  assert.deepEqual(
    boards.map(([, { title }]) => title),
    Object.keys(plan),
  );
  for (const [, board] of boards) {
    const titles = panelsOf(board).map(({ title }) => title ?? '');
    for (const name of plan[board.title ?? ''] ?? [])
      assert.ok(
        titles.some((title) => name.test(title)),
        `${board.title}: ${name}`,
      );
  }
  const latency = boards.flatMap(([, board]) => panelsOf(board)).find(({ title }) => title === 'Ingest latency');
  assert.deepEqual(
    latency?.targets?.map((target) => (target as { legendFormat?: string }).legendFormat),
    ['P50', 'P95', 'P99'],
  );
});

test('every panel says what it shows, and no two lie over each other', () => {
  for (const [path, board] of boards) {
    const taken = new Set<string>();
    for (const { title, description, type, gridPos } of panelsOf(board)) {
      assert.ok(title, path);
      assert.ok(description ?? type === 'text', `${path}: ${title} has no description`);
      const { x = 0, y = 0, w = 0, h = 0 } = gridPos ?? {};
      assert.ok(x + w <= 24, `${path}: ${title} is wider than the page`);
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          assert.ok(!taken.has(`${column}:${row}`), `${path}: ${title} lies over another panel`);
          taken.add(`${column}:${row}`);
        }
      }
    }
  }
});

test('every PromQL query parses, and asks for metrics and labels that HELIOS exports', () => {
  const series = exportedSeries();
  const queries = boards.flatMap(([, board]) => panelQueries(board).promql);
  assert.ok(queries.length > 20);
  assert.deepEqual(
    queries.flatMap((query) => problemsOfPromql(query, series)),
    [],
  );
});

test('what is not PromQL, and what nobody exports, is found', () => {
  const series = new Map([['helios_requests_total', ['job', 'code']]]);
  assert.throws(() => readPromql('sum(rate('), /not PromQL/);
  assert.deepEqual(problemsOfPromql('sum by (code) (rate(helios_requests_total{job="a"}[5m]))', series), []);
  assert.match(problemsOfPromql('helios_other_total', series)[0] ?? '', /nothing exports helios_other_total/);
  assert.match(problemsOfPromql('helios_requests_total{door="http"}', series)[0] ?? '', /has no label door/);
  assert.match(problemsOfPromql('sum by (door) (helios_requests_total)', series)[0] ?? '', /label door/);
});

test('every data source that a panel asks is provisioned', () => {
  const { datasources } = parse(read('infrastructure/grafana/provisioning/datasources/helios.yaml')) as {
    datasources: { uid: string; type: string }[];
  };
  const provisioned = datasources.map(({ uid, type }) => `${type} ${uid}`);
  for (const [path, board] of boards) {
    for (const { targets = [], title } of panelsOf(board)) {
      for (const target of targets) {
        const { datasource } = target as { datasource?: { uid?: string; type?: string } };
        assert.ok(provisioned.includes(`${datasource?.type} ${datasource?.uid}`), `${path}: ${title}`);
      }
    }
  }
});
