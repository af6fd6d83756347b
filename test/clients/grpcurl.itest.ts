import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { portOf, storedEvents } from './stored.ts';
import { finished, grpcurl } from './tools.ts';

test('grpcurl lists, describes and calls every service by reflection alone', async (context) => {
  const tool = await grpcurl(context);
  if (tool === null) return;
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path });
  const target = `127.0.0.1:${portOf(server.grpcUrl)}`;
  const { stdout: services } = await finished(tool, ['-plaintext', target, 'list']);
  for (const service of [
    'grpc.health.v1.Health',
    'helios.v1.EventService',
    'opentelemetry.proto.collector.logs.v1.LogsService',
    'opentelemetry.proto.collector.metrics.v1.MetricsService',
    'opentelemetry.proto.collector.trace.v1.TraceService',
  ]) {
    assert.match(services, new RegExp(`^${service.replaceAll('.', '\\.')}$`, 'm'));
    await finished(tool, ['-plaintext', target, 'describe', service]);
  }
  const { stdout: health } = await finished(tool, ['-plaintext', target, 'grpc.health.v1.Health/Check']);
  assert.equal((JSON.parse(health) as { status: string }).status, 'SERVING');
  const now = new Date().toISOString();
  const events = [0, 1, 2].map((number) => ({ timestamp: now, service: 'grpcurl', level: 'INFO', message: `event ${number}` }));
  const publish = ['-plaintext', '-d', JSON.stringify({ events }), target, 'helios.v1.EventService/Publish'];
  const { stdout: answer } = await finished(tool, publish);
  assert.equal(Number((JSON.parse(answer) as { accepted: string | number }).accepted), 3);
  const stored = await storedEvents(server.url, 'grpcurl', 3);
  assert.deepEqual(stored.map(({ message }) => message).sort(), ['event 0', 'event 1', 'event 2']);
});
