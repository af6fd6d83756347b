import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { portOf, storedEvents, storedSeries } from './stored.ts';
import { finished, python } from './tools.ts';

const SCRIPT = join(import.meta.dirname, 'config/python-sdk.py');

test('logs, metrics and spans of the Python SDK are stored as they were sent, over gRPC and HTTP', async (context) => {
  const tool = await python(context);
  if (tool === null) return;
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path });
  const endpoints = { grpc: `127.0.0.1:${portOf(server.grpcUrl)}`, http: server.otlpUrl };
  for (const [protocol, endpoint] of Object.entries(endpoints)) {
    const service = `python-${protocol}`;
    await finished(tool, [SCRIPT, protocol, endpoint]);
    const events = await storedEvents(server.url, service, 21);
    const logs = events.filter(({ message }) => message.startsWith('payment'));
    assert.deepEqual(logs.map(({ message }) => message).sort(), wanted(20).sort());
    assert.ok(logs.every(({ level, metadata }) => level === 'ERROR' && metadata['service.version'] === '1.2.3'));
    const span = events.find(({ message }) => message === 'POST /checkout');
    assert.ok(typeof span?.metadata['latency_ms'] === 'number');
    assert.ok(logs.every(({ trace_id: id, span_id: parent }) => id === span.trace_id && parent === span.span_id));
    const [orders] = await storedSeries(server.url, { service, name: 'orders' }, (series) => series.length > 0);
    assert.equal(orders?.labels['region'], 'eu');
    assert.equal(orders?.points.at(-1)?.[1], 20);
  }
});

function wanted(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `payment ${number} failed`);
}
