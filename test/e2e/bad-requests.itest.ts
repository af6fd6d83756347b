import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { countEvents } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { exchange, postHead } from './raw-http.ts';
import { assertCleanEnd, assertUnharmed, eventOf } from './watched-server.ts';

const directory = temporaryDirectory();
let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ dataDir: directory.path });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

const one = (): string => JSON.stringify(eventOf('shop'));
const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
const smuggled = 'GET /healthz HTTP/1.1\r\nHost: helios\r\n\r\n';

test('bytes that are not one well-formed request are refused, and nothing is smuggled behind them', async () => {
  const countBefore = await countEvents(server.url);
  const body = one();
  const requests = {
    'length and chunks': postHead(`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked') + body,
    'chunks and a shorter length': postHead('Content-Length: 4', 'Transfer-Encoding: chunked') + `0\r\n\r\n${smuggled}`,
    'an unknown transfer encoding': postHead('Transfer-Encoding: xchunked') + chunked(body),
    'chunked is not the last encoding': postHead('Transfer-Encoding: chunked, identity') + chunked(body),
    'the same length twice': postHead(`Content-Length: ${body.length}`, `Content-Length: ${body.length}`) + body,
    'two lengths in one': postHead(`Content-Length: ${body.length}, ${body.length}`) + body,
    'two lengths': postHead('Content-Length: 4', 'Content-Length: 5') + body,
    'a negative length': postHead('Content-Length: -1') + body,
    'a signed length': postHead(`Content-Length: +${body.length}`) + body,
    'a length beyond counting': postHead('Content-Length: 99999999999999999999999') + body,
    'a chunk size that is no number': postHead('Transfer-Encoding: chunked') + `zz\r\n${body}\r\n0\r\n\r\n`,
    'a negative chunk size': postHead('Transfer-Encoding: chunked') + `-5\r\n${body}\r\n0\r\n\r\n`,
    'a chunk size beyond counting': postHead('Transfer-Encoding: chunked') + `${'f'.repeat(17)}\r\n${body}`,
    'a chunk longer than it says': postHead('Transfer-Encoding: chunked') + `5\r\n${body}\r\n0\r\n\r\n`,
    'an endless chunk extension': postHead('Transfer-Encoding: chunked') + `5;${'x'.repeat(100_000)}\r\n`,
    'bare line feeds': postHead(`Content-Length: ${body.length}`).replaceAll('\r\n', '\n') + body,
    'a space before the colon': postHead('X-Odd : 1', `Content-Length: ${body.length}`) + body,
    'a folded header': postHead('X-Odd: a\r\n b', `Content-Length: ${body.length}`) + body,
    'a zero byte in a header': postHead('X-Odd: a\0b', `Content-Length: ${body.length}`) + body,
    'no Host': `POST /api/v1/events HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    TLS: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(200, '\0'),
    noise: '\x00\xff\xfe\r\n\r\n\r\n',
  };
  for (const [name, bytes] of Object.entries(requests)) {
    const answer = await exchange(server.url, bytes);
    assert.equal(answer.status, 400, name);
    assert.equal(answer.ended, true, `${name}: nothing more is read from the connection`);
    assert.doesNotMatch(answer.body, /"status":"ok"/, name);
  }
  const floods = [[`X-Long: ${'x'.repeat(100_000)}`], Array.from({ length: 20_000 }, (_, i) => `X-${i}: 1`)];
  for (const flood of floods) {
    const { status, ended } = await exchange(server.url, postHead(...flood, 'Content-Length: 0'));
    assert.deepEqual([status, ended], [431, true]);
  }
  assert.equal(await countEvents(server.url), countBefore);
  await assertUnharmed(server);
});

test('odd but legal requests are taken', async () => {
  const body = one();
  const length = `Content-Length: ${body.length}`;
  const upper = gzipSync(body);
  const requests: Record<string, [string, ...Uint8Array[]]> = {
    'as a proxy asks': [postHead(length).replace('/api', 'http://helios/api') + body],
    'HTTP/1.0': [postHead(length).replace('HTTP/1.1', 'HTTP/1.0') + body],
    'waiting for 100 Continue': [postHead(length, 'Expect: 100-continue') + body],
    'asking for an upgrade': [postHead(length, 'Connection: Upgrade', 'Upgrade: websocket') + body],
    'in one chunk': [postHead('Transfer-Encoding: chunked') + chunked(body)],
    'an encoding in capitals': [postHead(`Content-Length: ${upper.length}`, 'Content-Encoding: GZIP'), upper],
    'two keys of idempotency': [postHead(length, 'Idempotency-Key: a', 'Idempotency-Key: b') + body],
    'a type without a name': [postHead(length, 'Content-Type: ;;;') + body],
    'a query': [postHead(length).replace('events', 'events?x=%00&__proto__=1') + body],
  };
  for (const [name, parts] of Object.entries(requests)) {
    const { status, body: answer } = await exchange(server.url, ...parts);
    assert.equal(status, 202, `${name}: ${answer}`);
  }
  await assertUnharmed(server);
});

test('types, encodings and keys that are not understood, damaged or cut short are refused by name', async () => {
  const body = one();
  const gzip = gzipSync(body);
  const cases: [body: string | Uint8Array, headers: string[], status: number, code: string, field: string | undefined][] = [
    [body, ['Content-Type: multipart/form-data; boundary=x'], 415, 'unsupported_media_type', 'Content-Type'],
    [body, ['Content-Type: application/xml', 'Content-Type: application/json'], 415, 'unsupported_media_type', 'Content-Type'],
    [deflateSync(body), ['Content-Encoding: deflate'], 415, 'unsupported_media_type', 'Content-Encoding'],
    [gzipSync(gzip), ['Content-Encoding: gzip, gzip'], 415, 'unsupported_media_type', 'Content-Encoding'],
    [gzip.subarray(0, -5), ['Content-Encoding: gzip'], 400, 'invalid_encoding', 'body'],
    [Buffer.concat([gzip, Buffer.from('junk')]), ['Content-Encoding: gzip'], 400, 'invalid_encoding', 'body'],
    [body, ['Content-Encoding: gzip'], 400, 'invalid_encoding', 'body'],
    ['', ['Content-Encoding: gzip'], 400, 'invalid_encoding', 'body'],
    [zstdCompressSync(body).subarray(0, -5), ['Content-Encoding: zstd'], 400, 'invalid_encoding', 'body'],
    [body, ['Content-Encoding: zstd'], 400, 'invalid_encoding', 'body'],
    [body, ['Idempotency-Key: '], 400, 'invalid_argument', 'Idempotency-Key'],
    [body, [`Idempotency-Key: ${'k'.repeat(129)}`], 400, 'invalid_argument', 'Idempotency-Key'],
    ['', [], 400, 'invalid_json', undefined],
    [Buffer.from(body, 'utf16le'), [], 400, 'invalid_json', undefined],
  ];
  for (const [content, headers, status, code, field] of cases) {
    const head = postHead(...headers, `Content-Length: ${Buffer.byteLength(content)}`);
    const answer = await exchange(server.url, head, content);
    const problem = JSON.parse(answer.body) as { code: string; field?: string };
    assert.deepEqual([answer.status, problem.code, problem.field], [status, code, field], `${headers.join()} ${answer.body}`);
  }
  await assertUnharmed(server);
});

test('nothing of this was a failure of the server', () => assertCleanEnd(server));
