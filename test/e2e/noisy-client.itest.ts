import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import type { ClientReport } from '../../src/model/client.ts';
import { eventOf } from './watched-server.ts';

const NAMES = ['noisy', 'quiet', 'reader'];
const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
const QUIET_REQUESTS = 50;
const LARGE_EVENTS = 200;

/** Keys named as their secrets are, and so little memory that one client alone can ask for more than there is. */
const CONFIG = `
ingest:
  max_pending: 1MiB
  max_in_flight: 8
keys:
${NAMES.map((name) => `  - { id: ${name}, sha256: ${digestOf(name)}, roles: [${name === 'reader' ? 'read' : 'ingest'}] }`).join('\n')}
`;

async function post(url: string, key: string, body: string): Promise<number> {
  const answer = await fetch(new URL('/api/v1/events', url), { method: 'POST', body, headers: { 'x-api-key': key } });
  await answer.arrayBuffer();
  return answer.status;
}

async function clientOf(url: string, name: string): Promise<ClientReport> {
  const query = new URLSearchParams({ client: name });
  const answer = await fetch(new URL(`/api/v1/clients?${query.toString()}`, url), { headers: { 'x-api-key': 'reader' } });
  const { items } = (await answer.json()) as { items: ClientReport[] };
  return items[0] ?? assert.fail(`no client ${name}`);
}

test('a noisy client is told to wait, a quiet one is always served, and both can see why', { timeout: 120_000 }, async () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, 'helios.yaml');
  writeFileSync(file, CONFIG);
  const dataDir = join(directory.path, 'data');
  await using server = await ServerProcess.start({ dataDir, args: ['--config', file] });
  const line = `${JSON.stringify(eventOf('shop', 'x'.repeat(1000)))}\n`;
  const large = line.repeat(LARGE_EVENTS);
  const noiseEnd = new AbortController();
  const noisyStatuses: number[] = [];
  const makeNoise = async (): Promise<void> => {
    while (!noiseEnd.signal.aborted) noisyStatuses.push(await post(server.url, 'noisy', large));
  };
  const noise = Array.from({ length: 16 }, makeNoise);
  await waitFor(
    'the noisy client to be refused',
    30_000,
    async () => noisyStatuses.some((status) => status !== 202) || undefined,
  );
  const quietStatuses: number[] = [];
  for (let i = 0; i < QUIET_REQUESTS; i++) {
    quietStatuses.push(await post(server.url, 'quiet', JSON.stringify(eventOf('cart'))));
  }
  noiseEnd.abort();
  await Promise.all(noise);
  assert.deepEqual(new Set(quietStatuses), new Set([202]));
  assert.ok(noisyStatuses.every((status) => [202, 429, 503].includes(status)));
  const taken = noisyStatuses.filter((status) => status === 202).length;
  assert.ok(taken > 0, 'noise is slowed down, not shut out');

  const quiet = await clientOf(server.url, 'quiet');
  assert.deepEqual([quiet.accepted, quiet.refused, quiet.inFlight], [QUIET_REQUESTS, [], 0]);
  const noisy = await clientOf(server.url, 'noisy');
  assert.equal(noisy.accepted, taken * LARGE_EVENTS);
  const refused = noisy.refused.reduce((sum, { count }) => sum + count, 0);
  assert.equal(refused, noisyStatuses.length - taken);
  assert.ok(noisy.refused.every(({ code }) => code === 'rate_limited' || code === 'overloaded'));
  assert.equal(noisy.heldBytes, 0);

  assert.equal(await post(server.url, 'wrong', line), 401);
  assert.equal(await post(server.url, 'reader', line), 403);
  const stranger = await clientOf(server.url, '');
  assert.deepEqual(stranger.refused.map(({ code }) => code).toSorted(), ['forbidden', 'unauthenticated']);
  assert.match(stranger.lastErrors[0]?.message ?? '', /"reader" lacks the role ingest/);
});
