import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Prng } from '../../lib/prng.ts';
import type { Fields } from './protobuf.oracle.ts';

const KEYS = [
  'service.name|service.version|service.namespace|deployment.environment.name|deployment.environment|host.name|k8s.pod.name',
  'a|b|attributes.a|resource.a|resource.resource.a||__proto__|caf\u00e9 "x"|latency_ms|endpoint|attributes.endpoint',
  'environment|namespace|version|service_version|adjusted_count|flags|resource.flags|events|links|event_name|severity_text',
  'span.kind|span.name|trace_state|start_timestamp|observed_timestamp|dropped_attributes_count|otel.scope.name',
  'resource.dropped_attributes_count|http.request.method|http.method|http.route|url.template|rpc.system|messaging.system',
].flatMap((names) => names.split('|'));
/** What a request without them would be empty of. */
const FRAME = ['resources', 'scopes', 'records'];
const TEXTS = [
  '',
  'x',
  'GET',
  '/items/{id}',
  'line\nbreak "quoted" \\',
  'na\u00efve \u20ac \ud83d\ude00',
  '\u0000\u001f\u007f',
  '127',
];
const SEVERITIES = ['', 'INFO', 'warn', 'Error', 'FATAL', 'CRITICAL', 'Information', '17', 'trace'];
const STATES = [
  '',
  'ot=th:8',
  'a=b,ot=rv:12;th:fd70a4',
  ' ot=th:0 ,c=d',
  'ot=th:ffffffffffffff',
  'ot=th:',
  'ot=th:FF',
  'ot=rv:1',
  'xot=th:8',
];
const NAMES_OF_TEXT: Record<string, readonly string[]> = { key: KEYS, severityText: SEVERITIES, traceState: STATES };
/** Nanoseconds; two of them a request apart, so that durations of every kind occur. */
const TIMES = [0n, 1n, 1_731_000_000_123_456_789n, 1_731_000_000_987_654_321n, 1_731_000_000_123_456_999n, 2n ** 63n];
const NUMBERS = [0, 0, 1, 2, 3, 5, 9, 10, 13, 17, 21, 24, 25, 255, 2 ** 31 - 1];
const DOUBLES = [0, -0, 1.5, 0.1, 1e9, 1e10, -3, NaN, Infinity, -Infinity, 1 / 3, 5e-324, 1e300];
/** A chain of containers is at most this deep, past what an event may have. */
const MAX_DEPTH = 60;

const pick = <T>(prng: Prng, list: readonly T[]): T => list[prng.below(list.length)] as T;

function text(prng: Prng, name: string): Uint8Array {
  if (prng.below(40) === 0) return Uint8Array.from({ length: prng.below(6) }, () => prng.below(256));
  if (prng.below(60) === 0) return Buffer.from('long '.repeat(60));
  return Buffer.from(pick(prng, NAMES_OF_TEXT[name] ?? TEXTS));
}

function id(prng: Prng): Uint8Array {
  const length = pick(prng, [0, 8, 8, 16, 16, 16, 3]);
  return prng.below(5) === 0 ? new Uint8Array(length) : Uint8Array.from({ length }, () => prng.below(256));
}

function writeField(writer: BinaryWriter, number: number, [name, type]: Fields[number], prng: Prng, depth: number): void {
  if (typeof type === 'function') {
    writer.tag(number, WireType.LengthDelimited).bytes(randomMessage(type(), prng, depth + 1));
  } else if (type === 'string') writer.tag(number, WireType.LengthDelimited).bytes(text(prng, name));
  else if (type === 'bytes') writer.tag(number, WireType.LengthDelimited).bytes(id(prng));
  else if (type === 'double') writer.tag(number, WireType.Bit64).double(pick(prng, DOUBLES));
  else if (type === 'fixed64') writer.tag(number, WireType.Bit64).fixed64(pick(prng, TIMES));
  else if (type === 'fixed32') writer.tag(number, WireType.Bit32).fixed32(pick(prng, NUMBERS));
  else if (type === 'bool') writer.tag(number, WireType.Varint).bool(prng.below(2) === 1);
  else if (type === 'int64') writer.tag(number, WireType.Varint).int64(BigInt.asIntN(64, pick(prng, TIMES) - 7n));
  else writer.tag(number, WireType.Varint).uint32(pick(prng, NUMBERS));
}

/** One oneof member of an AnyValue, more containers the deeper it is meant to go. */
function anyFields(entries: [number, Fields[number]][], prng: Prng, depth: number): [number, Fields[number]][] {
  if (prng.below(20) === 0) return [];
  if (depth > MAX_DEPTH) return entries.slice(0, 1);
  const containers = entries.filter(([, [name]]) => name === 'arrayValue' || name === 'kvlistValue');
  if (depth > 12 && prng.below(10) > 0) return [pick(prng, containers)];
  return [pick(prng, prng.below(3) > 0 ? entries.slice(0, 4) : entries)];
}

/** Bytes of a valid message of these fields: in any order, some left out, with fields that nobody knows between them. */
export function randomMessage(fields: Fields, prng: Prng, depth = 0): Uint8Array {
  let entries = Object.entries(fields).map(([number, field]): [number, Fields[number]] => [Number(number), field]);
  const isAny = fields[1]?.[0] === 'stringValue';
  if (isAny) entries = anyFields(entries, prng, depth);
  else if (prng.below(3) === 0) entries.sort(() => prng.below(3) - 1);
  const writer = new BinaryWriter();
  for (const [number, field] of entries) {
    const isFrame = FRAME.includes(field[0]);
    if (!isAny && !isFrame && prng.below(4) === 0) continue;
    const most = field[0] === 'attributes' ? 7 : 3;
    const count = field[2] === undefined || depth > 8 ? 1 : prng.below(most) + (isFrame ? 1 : 0);
    for (let i = 0; i < count; i++) writeField(writer, number, field, prng, depth);
    if (prng.below(30) === 0) writer.tag(900 + prng.below(100), WireType.Varint).uint32(prng.below(1000));
  }
  return writer.finish();
}
