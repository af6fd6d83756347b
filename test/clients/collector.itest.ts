import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { waitFor } from '../../bench/server-api.ts';
import { portOf, storedEvents, storedSeries } from './stored.ts';
import { freePort } from '../servers/server-script.ts';
import { collector, finished, RunningClient, telemetrygen, writeConfig } from './tools.ts';

const RECORDS = 200;

function generate(signal: 'logs' | 'metrics' | 'traces', service: string, target: string, ...more: string[]): string[] {
  // Points of one series that are nanoseconds apart would fall on one microsecond, and the last of them counts.
  const rate = signal === 'metrics' ? '500' : '0';
  const count = { logs: '--logs', metrics: '--metrics', traces: '--traces' }[signal];
  const flags = ['--otlp-insecure', '--otlp-endpoint', target, '--service', service, '--rate', rate, '--workers', '1'];
  return [signal, ...flags, count, String(RECORDS), ...more];
}

test('what telemetrygen sends over gRPC and HTTP is stored, record by record', async (context) => {
  const tool = await telemetrygen(context);
  if (tool === null) return;
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path });
  const targets = { grpc: [`127.0.0.1:${portOf(server.grpcUrl)}`], http: [`127.0.0.1:${portOf(server.otlpUrl)}`, '--otlp-http'] };
  for (const [protocol, [target = '', ...more]] of Object.entries(targets)) {
    for (const signal of ['logs', 'traces', 'metrics'] as const) {
      await finished(tool, generate(signal, `${signal}-${protocol}`, target, ...more));
    }
    const logs = await storedEvents(server.url, `logs-${protocol}`, RECORDS);
    assert.equal(logs.length, RECORDS);
    assert.ok(logs.every(({ level, message }) => level === 'INFO' && message === 'the message'));
    // A trace of telemetrygen is a client span and the server span below it.
    const spans = await storedEvents(server.url, `traces-${protocol}`, 2 * RECORDS);
    assert.equal(spans.length, 2 * RECORDS);
    assert.equal(new Set(spans.map(({ trace_id: id }) => id)).size, RECORDS);
    assert.equal(new Set(spans.map(({ span_id: id }) => id)).size, 2 * RECORDS);
    const ids = new Set(spans.map(({ span_id: id }) => id));
    const children = spans.filter(({ parent_span_id: id }) => id !== undefined && ids.has(id));
    assert.equal(children.length, RECORDS);
    const query = { service: `metrics-${protocol}`, name: 'gen' };
    const pointsOf = (series: { points: unknown[] }[]): number => series.reduce((sum, { points }) => sum + points.length, 0);
    await storedSeries(server.url, query, (series) => pointsOf(series) === RECORDS);
  }
});

test('the OpenTelemetry Collector passes on logs, metrics and traces with its default settings', async (context) => {
  const [tool, generator] = [await collector(context), await telemetrygen(context)];
  if (tool === null || generator === null) return;
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path });
  const receiver = await freePort();
  const ports = { 14317: receiver, 4317: portOf(server.grpcUrl), 4318: portOf(server.otlpUrl) };
  await using running = new RunningClient(tool, ['--config', writeConfig('collector.yaml', directory.path, ports)]);
  await waitFor('the collector to be ready', 30_000, async () => /Everything is ready/.test(running.output) || undefined);
  for (const signal of ['logs', 'traces', 'metrics'] as const) {
    await finished(generator, generate(signal, signal, `127.0.0.1:${receiver}`));
  }
  assert.equal((await storedEvents(server.url, 'logs', RECORDS)).length, RECORDS);
  assert.equal((await storedEvents(server.url, 'traces', 2 * RECORDS)).length, 2 * RECORDS);
  const pointsOf = (series: { points: unknown[] }[]): number => series.reduce((sum, { points }) => sum + points.length, 0);
  await storedSeries(server.url, { service: 'metrics', name: 'gen' }, (series) => pointsOf(series) === RECORDS);
  assert.doesNotMatch(running.output, /Exporting failed|Permanent error|rejected/i);
});
