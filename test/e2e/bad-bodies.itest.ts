import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { countEvents, getJson, waitForEvents } from '../../bench/server-api.ts';
import type { ListPage } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import type { Event } from '../../src/model/event.ts';
import { exchange, postChunked, postHead } from './raw-http.ts';
import { assertCleanEnd, assertUnharmed, eventOf, residentMiB } from './watched-server.ts';

const MIB = 2 ** 20;
const MAX_BODY = 16 * MIB;
const directory = temporaryDirectory();
let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ dataDir: directory.path });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

interface Answer {
  accepted?: number;
  rejectedCount?: number;
  rejected?: { index: number; field: string; reason: string }[];
  code?: string;
}

async function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<[number, Answer]> {
  const response = await fetch(new URL('/api/v1/events', server.url), { method: 'POST', body, headers });
  return [response.status, (await response.json()) as Answer];
}

const good = (): string => JSON.stringify(eventOf('good'));
const withField = (field: string, value: unknown): string => JSON.stringify({ ...eventOf('bad'), [field]: value });
const withLatency = (number: string): string => withField('metadata', { latency_ms: 0.5 }).replace('0.5', number);
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** Lines that break one rule each, by the field at fault; "" is the event as a whole. */
const BROKEN: Record<string, (string | Uint8Array)[]> = {
  timestamp: [
    'yesterday  2025-02-30T00:00:00Z 2025-10-08T25:00:00Z 2025-10-08T10:30:45 1970-01-01T00:00:00Z'.split(' '),
    '9999-12-31T23:59:59Z 2025-10-08T10:30:45+99:00 +275760-09-13T00:00:00Z'.split(' '),
    [1, null, {}],
  ]
    .flat()
    .map((value) => withField('timestamp', value)),
  service: ['', 'x'.repeat(129), 'é'.repeat(65), null, 7, []].map((value) => withField('service', value)),
  level: ['', 'LOUD', null, 0, 25, 1.5, true, {}].map((value) => withField('level', value)),
  message: ['x'.repeat(65_537), null, 7].map((value) => withField('message', value)),
  metadata: [
    ...[7, [], 'x', { blob: 'x'.repeat(65_537) }].map((value) => withField('metadata', value)),
    withField('metadata', { deep: 0.5 }).replace('0.5', nested(100)),
    withField('metadata', { deep: 0.5 }).replace('0.5', nested(100_000)),
  ],
  'metadata.latency_ms': ['-1', '1e999', '-1e999', '1000000001', '"5"', '[]', 'true'].map(withLatency),
  'metadata.endpoint': [withField('metadata', { endpoint: 7 })],
  trace_id: [7, [], 'x'.repeat(129)].map((value) => withField('trace_id', value)),
  '': [
    ...'null 7 "text" [] { } {\'a\':1} {"a":1,} \v'.split(' '),
    `[${good()}]`,
    `${good()} x`,
    good() + good(),
    ...['NaN', 'Infinity', '0x10', '01', '1.', '.5', '+1', '1e', '--1'].map(withLatency),
    withField('metadata', { deep: 0.5 }).replace('0.5', '['.repeat(100_000)),
    withField('message', ' '.repeat(MIB)),
    ...['ff', 'eda080', 'c080', 'f5808080'].map((hex) =>
      Buffer.from(withField('message', '~~').replace('~~', Buffer.from(hex, 'hex').toString('latin1')), 'latin1'),
    ),
  ],
};

test('every broken event is named with its field, and the good ones between them are kept', async () => {
  const countBefore = await countEvents(server.url);
  const expected: [number, string][] = [];
  const lines: (string | Uint8Array)[] = [good()];
  for (const [field, broken] of Object.entries(BROKEN)) {
    for (const line of broken) {
      expected.push([lines.length, field]);
      lines.push(line, good());
    }
  }
  const body = Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')]));
  const [status, answer] = await post(body);
  assert.equal(status, 202);
  assert.deepEqual([answer.accepted, answer.rejectedCount], [lines.length - expected.length, expected.length]);
  assert.deepEqual(
    answer.rejected?.map(({ index, field }) => [index, field]),
    expected,
  );
  assert.ok(answer.rejected?.every(({ reason }) => reason.length > 5));
  await waitForEvents(server.url, countBefore + (answer.accepted ?? 0), 30_000);
  const { items } = await getJson<ListPage<Event>>(server.url, '/api/v1/events', { service: 'bad' });
  assert.deepEqual(items, []);
  await assertUnharmed(server);
});

/** As many of a piece as one body takes. */
const full = (piece: string): string => piece.repeat(Math.floor((MAX_BODY - 400) / piece.length));

test('bodies made to be slow are answered, each within seconds', { timeout: 60_000 }, async () => {
  const unit = eventOf('slow');
  const bodies: [name: string, body: string, code: string][] = [
    ['lines that open a string', full('"\n'), 'all_rejected'],
    ['lines that open an object', full('{\n'), 'all_rejected'],
    ['empty objects', `[${full('{},')}{}]`, 'all_rejected'],
    ['numbers', full('1\n'), 'all_rejected'],
    ['open arrays', full('['), 'invalid_json'],
    ['arrays in arrays', nested(MAX_BODY / 2 - 200), 'all_rejected'],
    ['objects in objects', full('{"a":').slice(0, 6 * MIB), 'invalid_json'],
    ['one endless string', `"${full('a')}`, 'invalid_json'],
    ['one long event', `[${JSON.stringify({ ...unit, message: full('a') })}]`, 'all_rejected'],
    ['newlines', full('\n'), 'invalid_json'],
    ['zeros', full('\0'), 'all_rejected'],
  ];
  for (const [name, body, code] of bodies) {
    const [status, answer] = await post(body);
    assert.deepEqual([status, answer.code], [400, code], name);
  }
  await assertUnharmed(server);
});

test('a body over the limit is refused, however it announces itself, and bombs before they go off', async () => {
  const zeros = Buffer.alloc(64 * MIB);
  const bombs = { gzip: gzipSync(zeros), zstd: zstdCompressSync(zeros) };
  const levelMiB = residentMiB(server);
  for (const [encoding, member] of Object.entries(bombs)) {
    // Members behind each other are one stream: 10 MB that say 10 GB.
    const bomb = Buffer.concat(Array.from({ length: 160 }, () => member));
    const send = async (): Promise<string> => {
      const [status, { code }] = await post(new Uint8Array(bomb), { 'content-encoding': encoding });
      return `${status} ${code}`;
    };
    assert.equal(await send(), '413 too_large', encoding);
    // Together they may hold more than one client is given before each has grown past its limit.
    for (const answer of await Promise.all(Array.from({ length: 8 }, send)))
      assert.match(answer, /^413 too_large$|^503 overloaded$/);
  }
  assert.deepEqual((await post(new Uint8Array(MAX_BODY + 1)))[1].code, 'too_large', 'also to a client that sends it all first');
  assert.equal((await exchange(server.url, postHead('Content-Length: 999999999999999'))).status, 413);
  const endless = await postChunked(server.url, 65_536, 2 ** 30);
  assert.equal(endless.status, 413);
  assert.ok(endless.sentBytes < 128 * MIB, `the server read on after its answer: ${endless.sentBytes}`);
  const [status] = await post(`[${full(' ')}${good()}]`);
  assert.equal(status, 202, 'a body at its limit is taken');
  await assertUnharmed(server);
  assert.ok(residentMiB(server) - levelMiB < 400, `${levelMiB} MiB before, ${residentMiB(server)} MiB after`);
});

test('a body of one-byte chunks takes the memory of its bytes', async () => {
  const levelMiB = residentMiB(server);
  const answer = await postChunked(server.url, 1, 300_000);
  assert.equal(answer.status, 400, 'it is white space');
  assert.ok(residentMiB(server) - levelMiB < 80, `${levelMiB} MiB before, ${residentMiB(server)} MiB after`);
  await assertUnharmed(server);
});

test('nothing of this was a failure of the server', () => assertCleanEnd(server));
