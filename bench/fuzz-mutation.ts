import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Prng } from '../src/lib/prng.ts';
import { pick } from './load-event.ts';
import { lengthField, varint } from './protobuf-fields.ts';

const DEPTHS = [2, 3, 9, 17, 33, 65, 101, 300];
const DEEP = 20_000;
const BOMB_BYTES = 2 ** 20;

function randomBytes(length: number, prng: Prng): Buffer {
  return Buffer.from(Array.from({ length }, () => prng.below(256)));
}

/** A stretch of the bytes: where it starts and ends. */
function stretch(bytes: Buffer, prng: Prng): [from: number, to: number] {
  const from = prng.below(bytes.length + 1);
  return [from, from + prng.below(Math.min(64, bytes.length - from) + 1)];
}

/** Rarely as deep as breaks a parser that calls itself: such bodies are long. */
function depthOf(prng: Prng): number {
  return prng.below(100) === 0 ? DEEP : pick(DEPTHS, prng);
}

function nestedJson(depth: number, prng: Prng): string {
  const [open, close] = pick([['[', ']'] as const, ['{"a":', '}'] as const], prng);
  return open.repeat(depth) + pick(['', '1', '"'], prng) + close.repeat(depth);
}

/** Messages in messages, as a list of lists of attributes would be; the innermost may promise more than there is. */
function nestedProtobuf(depth: number, prng: Prng): Buffer {
  const field = pick([1, 2, 5, 6], prng);
  const innermost = prng.below(2) === 0 ? lengthField(field, 'x') : varint(field * 8 + 2);
  const heads: Buffer[] = [innermost];
  let length = innermost.length;
  for (let i = 0; i < depth; i++) {
    const head = Buffer.concat([varint(field * 8 + 2), varint(length)]);
    heads.push(head);
    length += head.length;
  }
  return Buffer.concat(heads.toReversed());
}

/** What parsers trip over, put in at a random place. */
const SPLINTERS: readonly ((prng: Prng) => string | Buffer)[] = [
  (prng) => nestedJson(depthOf(prng), prng),
  (prng) => nestedProtobuf(depthOf(prng), prng),
  () => Buffer.alloc(11, 0xff),
  () => Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02]),
  (prng) => Buffer.from([(1 + prng.below(15)) * 8 + 3 + prng.below(5)]),
  (prng) => varint((1 + prng.below(20)) * 8 + 2),
  () => Buffer.from([0xed, 0xa0, 0x80, 0xc0, 0x80, 0xf5]),
  () => '\\ud800',
  () => '\u0000',
  () => '1e999',
  () => '-0.0e-99999999',
  () => '99999999999999999999999999',
  () => '"__proto__":{"x":1},',
  () => '\n\r\n',
  () => '\ufeff',
  () => '"timestamp":"0000-00-00T99:99:99Z",',
  (prng) => 'x'.repeat(prng.below(50) === 0 ? 70_000 : 129),
];

function toBuffer(splinter: string | Buffer): Buffer {
  return typeof splinter === 'string' ? Buffer.from(splinter) : splinter;
}

type Mutation = (bytes: Buffer, prng: Prng) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  function flip(bytes, prng) {
    const copy = Buffer.from(bytes);
    for (let i = 1 + prng.below(8); i > 0 && copy.length > 0; i--) copy[prng.below(copy.length)]! ^= 1 << prng.below(8);
    return copy;
  },
  function overwrite(bytes, prng) {
    const copy = Buffer.from(bytes);
    for (let i = 1 + prng.below(4); i > 0 && copy.length > 0; i--) copy[prng.below(copy.length)] = prng.below(256);
    return copy;
  },
  (bytes, prng) => bytes.subarray(0, prng.below(bytes.length + 1)),
  (bytes, prng) => Buffer.concat([bytes, randomBytes(1 + prng.below(32), prng)]),
  function remove(bytes, prng) {
    const [from, to] = stretch(bytes, prng);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  function repeat(bytes, prng) {
    const [from, to] = stretch(bytes, prng);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  function insert(bytes, prng) {
    const [at] = stretch(bytes, prng);
    const splinter = toBuffer(pick(SPLINTERS, prng)(prng));
    return Buffer.concat([bytes.subarray(0, at), splinter, bytes.subarray(at)]);
  },
  (_bytes, prng) => randomBytes(prng.below(200), prng),
  (_bytes, prng) => Buffer.from(nestedJson(depthOf(prng), prng)),
  (_bytes, prng) => nestedProtobuf(depthOf(prng), prng),
];

/** One to three changes at random; one time in thirty none at all. */
export function mutate(bytes: Buffer, prng: Prng): Buffer {
  let mutated = bytes;
  if (prng.below(30) === 0) return mutated;
  for (let i = prng.below(3); i >= 0; i--) mutated = pick(MUTATIONS, prng)(mutated, prng);
  return mutated;
}

export interface EncodedBody {
  encoding: string | null;
  bytes: Buffer;
}

/** A content encoding that fits, that is damaged, that does not fit, or none; now and then one that blows up. */
export function encodeBody(bytes: Buffer, prng: Prng): EncodedBody {
  switch (prng.below(30)) {
    case 0:
      return { encoding: 'gzip', bytes: gzipSync(bytes) };
    case 1:
      return { encoding: 'zstd', bytes: zstdCompressSync(bytes) };
    case 2:
      return { encoding: 'gzip', bytes: mutate(gzipSync(bytes), prng) };
    case 3:
      return { encoding: 'zstd', bytes: mutate(zstdCompressSync(bytes), prng) };
    case 4:
      return { encoding: pick(['gzip', 'zstd', 'snappy', 'deflate', 'br', 'x-unheard-of', 'gzip, gzip', ''], prng), bytes };
    case 5:
      return prng.below(60) > 0
        ? { encoding: null, bytes }
        : { encoding: 'gzip', bytes: gzipSync(Buffer.alloc(BOMB_BYTES, '[')) };
    default:
      return { encoding: null, bytes };
  }
}
