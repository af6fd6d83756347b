import { gzipSync } from 'node:zlib';
import type { Prng } from '../src/lib/prng.ts';
import type { FuzzBodies } from './fuzz-body.ts';
import { mutate } from './fuzz-mutation.ts';
import { DOOR_NAMES, LOAD_DOORS } from './load-doors.ts';
import { pick } from './load-event.ts';

const DOORS = DOOR_NAMES.filter((name) => LOAD_DOORS[name].transport !== 'http');
const OTHER_PATHS = [
  '/grpc.health.v1.Health/Check',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/helios.v1.EventService/Nothing',
  '/',
  '/x',
];
const ENCODINGS = ['identity', 'gzip', 'deflate', 'snappy', ''];
const ODD_HEADERS: readonly Record<string, string>[] = [
  { 'content-type': 'application/json' },
  { 'content-type': 'application/grpc+json' },
  { 'content-type': 'application/grpc-web' },
  { 'grpc-timeout': '0n' },
  { 'grpc-timeout': 'soon' },
  { 'grpc-timeout': '99999999999H' },
  { 'idempotency-key': 'k'.repeat(300) },
  { 'idempotency-key': '' },
  { authorization: 'Bearer' },
  { 'x-bin': '!!!' },
];

export interface FuzzCall {
  headers: Record<string, string>;
  bytes: Buffer;
}

function prefixed(message: Buffer, flag: number, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** A message as it should be, compressed, compressed and damaged, of another length than it says, or several at once. */
function frame(message: Buffer, prng: Prng): Buffer {
  switch (prng.below(12)) {
    case 0:
      return prefixed(gzipSync(message), 1);
    case 1:
      return prefixed(mutate(gzipSync(message), prng), 1);
    case 2:
      return prefixed(message, 2 + prng.below(254));
    case 3:
      return prefixed(message, 0, pick([0, message.length + 1, message.length >> 1, 2 ** 31, 2 ** 32 - 1], prng));
    case 4:
      return Buffer.concat([prefixed(message, 0), prefixed(message, 0)]);
    case 5:
      return mutate(prefixed(message, 0), prng);
    default:
      return prefixed(message, 0);
  }
}

/** A call that HTTP/2 finds nothing wrong with. */
export function framedCall(bodies: FuzzBodies, prng: Prng): FuzzCall {
  const door = pick(DOORS, prng);
  const path = prng.below(12) === 0 ? pick(OTHER_PATHS, prng) : LOAD_DOORS[door].path;
  const headers: Record<string, string> = {
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(prng.below(4) === 0 ? { 'grpc-encoding': pick(ENCODINGS, prng) } : {}),
    ...(prng.below(12) === 0 ? pick(ODD_HEADERS, prng) : {}),
  };
  return { headers, bytes: frame(mutate(bodies.take(door, prng), prng), prng) };
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = 4;
/** `:method POST`, `:scheme http`, `:path /` by their indexes in the static table of HPACK (RFC 7541, appendix A). */
const HEADER_BLOCK = Buffer.from([0x83, 0x86, 0x84]);

/** RFC 9113, section 4.1. */
function http2Frame(type: number, flags: number, stream: number, payload: Buffer, length = payload.length): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function randomFrame(prng: Prng): Buffer {
  const type = prng.below(14);
  const stream = pick([0, 1, 1, 2, 3, 2 ** 31 - 1, 2 ** 32 - 1], prng);
  const payload = prng.below(3) === 0 ? HEADER_BLOCK : Buffer.from(Array.from({ length: prng.below(40) }, () => prng.below(256)));
  const length = prng.below(6) === 0 ? prng.below(2 ** 24) : payload.length;
  return http2Frame(type, prng.below(64), stream, payload, length);
}

/** A connection that starts as HTTP/2 and goes on with frames that do not belong there. */
export function brokenHttp2(prng: Prng): Buffer {
  const start = prng.below(10) === 0 ? mutate(PREFACE, prng) : PREFACE;
  const settings = http2Frame(SETTINGS, 0, 0, Buffer.alloc(0));
  const repeated = randomFrame(prng);
  const frames =
    prng.below(8) === 0
      ? Array.from({ length: 200 }, () => repeated)
      : Array.from({ length: 1 + prng.below(6) }, () => randomFrame(prng));
  return Buffer.concat([start, ...(prng.below(6) === 0 ? [] : [settings]), ...frames]);
}
