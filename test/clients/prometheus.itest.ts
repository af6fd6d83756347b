import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getJson, waitFor } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { portOf, storedSeries } from './stored.ts';
import { freePort, prometheus, RunningClient, writeConfig } from './tools.ts';

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
  await using running = new RunningClient(tool, flags);
  const names = ['up', 'helios_ingest_requests_total', 'helios_ingest_request_seconds_bucket', 'process_resident_memory_bytes'];
  await waitFor('five scrapes', 60_000, async () => {
    const scraped = await askPrometheus(url, 'up[1h]', Date.now() / 1000).catch(() => []);
    return (scraped[0]?.values.length ?? 0) >= SCRAPES ? true : undefined;
  });
  // At its stop Prometheus sends on what it has queued; what it held is asked for before.
  const now = Date.now() / 1000;
  const held = new Map<string, RawSeries[]>();
  for (const name of names) held.set(name, await askPrometheus(url, `${name}[1h]`, now));
  await running.stop();
  for (const [name, sent] of held) {
    assert.ok(sent.length > 0, name);
    const stored = await storedSeries(server.url, { name }, (series) => series.length >= sent.length);
    for (const { metric, values } of sent) {
      const { __name__: _, job: _job, ...labels } = metric;
      const match = stored.find((series) => Object.entries(labels).every(([key, value]) => series.labels[key] === value));
      assert.deepEqual([match?.labels['service'], match?.labels['namespace']], ['checkout', 'shop']);
      const points = new Map(match?.points.map(([ms, value]) => [ms, value]));
      for (const [seconds, value] of values) assert.equal(points.get(Math.round(seconds * 1000)), Number(value), name);
    }
  }
});
