import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getJson, waitFor } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { portOf, storedSeries, type StoredSeries } from './stored.ts';
import { freePort } from '../servers/server-script.ts';
import { prometheus, RunningClient, writeConfig } from './tools.ts';

const SCRAPES = 5;

interface RawSeries {
  metric: Record<string, string>;
  values: [number, string][];
}

async function askPrometheus(url: string, query: string, time: number): Promise<RawSeries[]> {
  const { data } = await getJson<{ data: { result: RawSeries[] } }>(url, '/api/v1/query', { query, time });
  return data.result;
}

test('what Prometheus 2.42 scrapes and writes on is stored sample by sample', async (context) => {
  const tool = await prometheus(context);
  if (tool === null) return;
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = writeConfig('prometheus.yml', directory.path, { 8080: portOf(server.url) });
  const flags = [
    `--config.file=${config}`,
    `--web.listen-address=127.0.0.1:${port}`,
    `--storage.tsdb.path=${directory.path}/tsdb`,
  ];
  await using _running = new RunningClient(tool, flags);
  const names = ['up', 'helios_ingest_requests_total', 'helios_ingest_request_seconds_bucket', 'process_resident_memory_bytes'];
  await waitFor('five scrapes', 60_000, async () => {
    const scraped = await askPrometheus(url, 'up[1h]', Date.now() / 1000).catch(() => []);
    return (scraped[0]?.values.length ?? 0) >= SCRAPES ? true : undefined;
  });
  const now = Date.now() / 1000;
  for (const name of names) {
    const sent = await askPrometheus(url, `${name}[1h]`, now);
    assert.ok(sent.length > 0, name);
    const newest = Math.max(...sent.map(({ values }) => values.at(-1)?.[0] ?? 0)) * 1000;
    const hasAll = (points: StoredSeries['points']): boolean => (points.at(-1)?.[0] ?? 0) >= Math.round(newest);
    const stored = await storedSeries(server.url, { name }, (series) => {
      return series.length >= sent.length && series.every(({ points }) => hasAll(points));
    });
    for (const { metric, values } of sent) {
      const { __name__: _, job: _job, ...labels } = metric;
      const match = stored.find((series) => Object.entries(labels).every(([key, value]) => series.labels[key] === value));
      assert.deepEqual([match?.labels['service'], match?.labels['namespace']], ['checkout', 'shop']);
      const points = new Map(match?.points.map(([ms, value]) => [ms, value]));
      for (const [seconds, value] of values) assert.equal(points.get(Math.round(seconds * 1000)), Number(value), name);
    }
  }
});
