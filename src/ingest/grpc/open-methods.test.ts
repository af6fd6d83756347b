import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import type { CallOptions } from './call.ts';
import { Call } from './call.ts';
import { frame } from './answer.ts';
import type { AnsweringMethod } from './method.ts';

const QUESTIONS = 30;

test('a client without a key that reads no answers has one answer made a stream, and all once it reads', async () => {
  let answers = 0;
  const method: AnsweringMethod = {
    door: 'grpc_reflection',
    access: 'anyone',
    shape: 'exchange',
    answer: () => Promise.resolve(Buffer.from([++answers])),
  };
  const options = { clock: systemClock, logger: silentLogger, metrics: silentMetrics } as CallOptions;
  const server = http2.createServer();
  server.on('stream', (stream, headers) => new Call(stream, headers, method, '127.0.0.1', options));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const session = http2.connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
  try {
    await once(session, 'localSettings');
    const stream = session.request({ ':method': 'POST' });
    stream.end(Buffer.concat(Array.from({ length: QUESTIONS }, () => frame(new Uint8Array(0)))));
    await once(stream, 'response');
    await new Promise((resolve) => {
      session.ping(resolve);
    });
    assert.equal(answers, 1);
    session.settings({ initialWindowSize: 65_535 });
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await once(stream, 'end');
    assert.equal(bytes, QUESTIONS * frame(new Uint8Array(1)).length);
  } finally {
    session.destroy();
    server.close();
  }
});
