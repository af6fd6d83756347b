import type { Prng } from '../src/lib/prng.ts';
import type { FuzzBodies } from './fuzz-body.ts';
import { otlpJson } from './fuzz-body.ts';
import { encodeBody, mutate } from './fuzz-mutation.ts';
import { LOAD_DOORS } from './load-doors.ts';
import type { DoorName } from './load-doors.ts';
import { pick } from './load-event.ts';

const DOORS = ['http', 'otlp-http-logs', 'otlp-http-traces', 'otlp-http-metrics', 'remote-write'] as const satisfies DoorName[];
const CONTENT_TYPES = [
  'application/json',
  'application/x-protobuf',
  'application/x-ndjson',
  'text/plain; charset=utf-16',
  'application/json; charset="',
  'multipart/form-data; boundary=x',
  'application/protobuf;proto=io.prometheus.write.v2.Request',
  '/',
];
const ODD_HEADERS = [
  'Idempotency-Key: ',
  `Idempotency-Key: ${'k'.repeat(300)}`,
  'Idempotency-Key: \u00e9\u00ff',
  'Authorization: Bearer',
  'Authorization: Basic %%%',
  'X-Api-Key: nobody',
  'Accept: nothing/at-all',
  'X-Prometheus-Remote-Write-Version: 99',
  'Expect: a-miracle',
  'Range: bytes=-1',
  'Content-Language: \t',
];
const METHODS = ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

interface Draft {
  method: string;
  path: string;
  headers: string[];
  body: Buffer;
}

function validDraft(bodies: FuzzBodies, prng: Prng): Draft {
  const door = pick(DOORS, prng);
  const { path, headers } = LOAD_DOORS[door];
  if (path.startsWith('/v1/') && prng.below(2) === 0) {
    const signal = path.slice('/v1/'.length) as 'logs' | 'metrics' | 'traces';
    return { method: 'POST', path, headers: ['Content-Type: application/json'], body: otlpJson(signal) };
  }
  return { method: 'POST', path, headers: [...headers], body: bodies.take(door, prng) };
}

/** What stands around a body, mostly as it should be. */
function bend(draft: Draft, prng: Prng): void {
  switch (prng.below(24)) {
    case 0:
      draft.headers = draft.headers
        .filter((line) => !line.startsWith('Content-Type'))
        .concat(`Content-Type: ${pick(CONTENT_TYPES, prng)}`);
      break;
    case 1:
      draft.headers = draft.headers.filter((line) => !line.startsWith('Content-Type'));
      break;
    case 2:
      draft.headers.push(pick(ODD_HEADERS, prng));
      break;
    case 3:
      draft.path = pick(
        DOORS.map((door) => LOAD_DOORS[door].path),
        prng,
      );
      break;
    case 4:
      draft.path += pick(['/', '?x=%', '/../..', '%00', ';a=b', '?limit=-1', '/v1'], prng);
      break;
    case 5:
      if (prng.below(4) === 0) draft.method = pick(METHODS, prng);
      break;
  }
}

function chunked(body: Buffer, prng: Prng): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const piece = body.subarray(at, at + 1 + prng.below(200));
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
    at += piece.length;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/** A request that HTTP finds nothing wrong with: only what it carries is damaged. It can share a connection with others. */
export function framedRequest(bodies: FuzzBodies, prng: Prng): Buffer {
  const draft = validDraft(bodies, prng);
  bend(draft, prng);
  const { encoding, bytes } = encodeBody(mutate(draft.body, prng), prng);
  const isChunked = prng.below(10) === 0;
  const lines = [
    `${draft.method} ${draft.path} HTTP/1.1`,
    'Host: fuzz',
    ...draft.headers,
    ...(encoding === null ? [] : [`Content-Encoding: ${encoding}`]),
    isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes.length}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), isChunked ? chunked(bytes, prng) : bytes]);
}

const BROKEN_HEADS = [
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Content-Length: 0x10',
  'Content-Length: 10, 10',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: \u000bchunked',
  'Transfer-Encoding : chunked',
  ' Folded: header',
  'No-Colon',
  ': no name',
  'Nul: \u0000',
  `Long: ${'x'.repeat(20_000)}`,
  'Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA',
];
const BROKEN_LINES = [
  'POST  /v1/logs HTTP/1.1',
  'POST /v1/logs HTTP/9.9',
  'POST /v1/logs',
  '\u0000\u0000',
  'PRI * HTTP/2.0',
  'GET * HTTP/1.1',
];
const BROKEN_CHUNKS = [
  'zz\r\n',
  'fffffffffffffffff\r\n',
  '5\r\nabc',
  '-1\r\n\r\n',
  '5;ext="\r\nabcde\r\n0\r\n',
  '0\r\nTrailer\r\n\r\n',
];

/** Bytes that are not HTTP, or not quite; they need a connection of their own. */
export function brokenRequest(bodies: FuzzBodies, prng: Prng): Buffer {
  const valid = framedRequest(bodies, prng);
  const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
  switch (prng.below(6)) {
    case 0:
      return latin(`POST /api/v1/events HTTP/1.1\r\nHost: fuzz\r\n${pick(BROKEN_HEADS, prng)}\r\n\r\n{"a":1}\n`);
    case 1:
      return latin(`${pick(BROKEN_LINES, prng)}\r\nHost: fuzz\r\nContent-Length: 2\r\n\r\n{}`);
    case 2:
      return latin(`POST /v1/logs HTTP/1.1\r\nHost: fuzz\r\nTransfer-Encoding: chunked\r\n\r\n${pick(BROKEN_CHUNKS, prng)}`);
    case 3:
      return valid.subarray(0, prng.below(valid.length));
    case 4:
      return Buffer.concat([valid, mutate(framedRequest(bodies, prng), prng)]);
    default:
      return mutate(valid, prng);
  }
}
