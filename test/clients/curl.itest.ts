import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { storedEvents } from './stored.ts';
import { curl, finished } from './tools.ts';

const EVENTS = 500;

test('curl sends files as they are: NDJSON, an array, and compressed', async (context) => {
  const tool = await curl(context);
  if (tool === null) return;
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path });
  const eventsOf = (service: string) =>
    Array.from({ length: EVENTS }, (_, number) => {
      const timestamp = new Date(Date.now() - EVENTS + number).toISOString();
      return { timestamp, service, level: 'INFO', message: `event ${number}`, metadata: { number } };
    });
  const lines = (service: string): string =>
    eventsOf(service)
      .map((event) => `${JSON.stringify(event)}\n`)
      .join('');
  const files: Record<string, { body: string | Uint8Array; flags: string[] }> = {
    'curl-ndjson': { body: lines('curl-ndjson'), flags: [] },
    'curl-array': { body: JSON.stringify(eventsOf('curl-array')), flags: ['-H', 'Content-Type: application/json'] },
    'curl-gzip': { body: gzipSync(lines('curl-gzip')), flags: ['-H', 'Content-Encoding: gzip'] },
  };
  for (const [service, { body, flags }] of Object.entries(files)) {
    const path = join(directory.path, service);
    writeFileSync(path, body);
    const { stdout } = await finished(tool, ['-sS', `${server.url}/api/v1/events`, ...flags, '--data-binary', `@${path}`]);
    assert.deepEqual(JSON.parse(stdout), { accepted: EVENTS });
    const stored = await storedEvents(server.url, service, EVENTS);
    assert.deepEqual(
      stored.map(({ message, metadata }) => [message, metadata['number']]),
      Array.from({ length: EVENTS }, (_, number) => [`event ${number}`, number]),
    );
  }
});
