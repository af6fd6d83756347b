import type { Prng } from '../lib/prng.ts';

const pick = <T>(prng: Prng, items: readonly T[]): T => items[prng.below(items.length)] as T;
const chance = (prng: Prng, oneIn: number): boolean => prng.below(oneIn) === 0;

/** Every way to write a timestamp, good and bad. */
const TIMES = [
  '2025-10-08T10:30:45Z',
  '2025-10-08T10:30:45.1Z',
  '2025-10-08T10:30:45.123Z',
  '2025-10-08T10:31:45.123456Z',
  '2025-10-08T10:31:45.123456789Z',
  '2025-10-08T10:31:45.1234567890123Z',
  '2025-10-08T10:31:45+00:00',
  '2025-10-08T23:59:59.999+14:30',
  '2025-10-08T00:00:00-23:59',
  '2025-10-08t10:30:45z',
  '2025-10-08 10:30:45.5Z',
  '2024-02-29T12:00:00Z',
  '2000-02-29T12:00:00Z',
  '2024-12-31T23:59:60Z',
  '0000-01-01T00:00:00Z',
  '0099-03-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '1900-02-29T12:00:00Z',
  '2023-02-29T12:00:00Z',
  '2025-13-01T00:00:00Z',
  '2025-00-10T00:00:00Z',
  '2025-10-00T00:00:00Z',
  '2025-04-31T00:00:00Z',
  '2025-10-08T24:00:00Z',
  '2025-10-08T10:60:45Z',
  '2025-10-08T10:30:61Z',
  '2025-10-08T10:30:45',
  '2025-10-08T10:30:45.Z',
  '2025-10-08T10:30Z',
  '2025-10-08T10:30:4:Z',
  '2025-10-08T10:30:45+24:00',
  '2025-10-08T10:30:45+0100',
  '2025-10-08T10:30:45+01:6',
  '20x5-10-08T10:30:45Z',
  '2025-10-08_10:30:45Z',
  '2025-10-08T10:30:45.123Zz',
  '',
];
const NUMBERS = [
  '0',
  '-0',
  '1',
  '12.5',
  '53',
  '0.1',
  '1e2',
  '1E+2',
  '1.5e-3',
  '123456789.25',
  '1e9',
  '1000000000.0',
  '1000000000.1',
  '1e999',
  '0.30000000000000004',
  '12.345678901234567',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.000001',
  '5e-324',
  '0.1234567890123456789',
  '72057594037927936',
  '72057594037927952',
  '1.0000000000000002',
  '-1',
  '00',
  '01',
  '1.',
  '.5',
  '1e',
  '+1',
  '0x1',
];
const WORDS = [
  'a',
  'payment',
  'api-gateway',
  'x'.repeat(15),
  'y'.repeat(16),
  'z'.repeat(17),
  'é',
  '日本',
  '\u{1f600}',
  '/',
  'a/b',
  ' ',
  'svc.db-1',
];
const ESCAPES = ['\\"', '\\\\', '\\/', '\\n', '\\t', '\\u0041', '\\ud83d\\ude00', '\\ud800', '\\u00e9'];
const BROKEN = ['\\x', '\\u12g4', '\u0001', '\t', '\\', '"'];
const KNOWN_KEYS = [
  'timestamp',
  'service',
  'level',
  'message',
  'metadata',
  'trace_id',
  'span_id',
  'parent_span_id',
  'kind',
  'latency_ms',
  'endpoint',
  'adjusted_count',
  'service.version',
  'service_version',
  'version',
  'deployment.environment.name',
  'deployment.environment',
  'environment',
  'service.namespace',
  'namespace',
];
const OTHER_KEYS = [
  'host.name',
  'k8s.pod.name',
  'request_id',
  'status',
  'service.name',
  '__proto__',
  'constructor',
  '',
  'é',
  '0',
  'k'.repeat(70),
];

function spaces(prng: Prng): string {
  return chance(prng, 12) ? pick(prng, [' ', '  ', '\t', '\r', '\n', ' \r\n ']) : '';
}

/** Content of a JSON string. */
function text(prng: Prng): string {
  let content = '';
  for (let n = prng.below(4); n >= 0; n--) content += pick(prng, WORDS);
  if (chance(prng, 6)) content += pick(prng, ESCAPES);
  if (chance(prng, 6)) content += 'p'.repeat(prng.below(40));
  if (chance(prng, 60)) content += 'long '.repeat(prng.below(2000));
  return chance(prng, 120) ? content + pick(prng, BROKEN) : content;
}

const quoted = (prng: Prng): string => `"${text(prng)}"`;

function name(prng: Prng): string {
  if (chance(prng, 12)) return quoted(prng);
  return chance(prng, 40)
    ? pick(prng, ['""', 'null', '5', `"${'n'.repeat(128)}"`, `"${'n'.repeat(129)}"`])
    : `"${pick(prng, WORDS)}"`;
}

function value(prng: Prng, depth: number): string {
  const kind = prng.below(depth > 0 ? 9 : 6);
  if (kind < 3) return quoted(prng);
  if (kind < 5) return pick(prng, NUMBERS.slice(0, chance(prng, 30) ? NUMBERS.length : 21));
  if (kind === 5) return pick(prng, ['true', 'false', 'null', ...(chance(prng, 40) ? ['True', 'nul', 'undefined'] : [])]);
  if (kind === 6) return nested(prng, pick(prng, [1, 2, 13, 14, 15, 16, 17]));
  const items = Array.from({ length: prng.below(4) }, () => `${spaces(prng)}${value(prng, depth - 1)}${spaces(prng)}`);
  if (kind === 7) return `[${items.join(',')}]`;
  return `{${items.map((item) => `${spaces(prng)}"${key(prng)}"${spaces(prng)}:${item}`).join(',')}}`;
}

function nested(prng: Prng, depth: number): string {
  let result = pick(prng, ['1', '[]', '{}', '"x"']);
  for (let n = 0; n < depth; n++) result = chance(prng, 2) ? `[${result}]` : `{"a":${result}}`;
  return result;
}

/** A key that is known, unknown, nearly known, or written with an escape. */
function key(prng: Prng): string {
  const plain = chance(prng, 3) ? pick(prng, KNOWN_KEYS) : pick(prng, OTHER_KEYS);
  if (chance(prng, 15)) return plain.slice(0, prng.below(plain.length + 1));
  if (chance(prng, 15)) return `${plain}${pick(prng, ['s', '.x', '_'])}`;
  if (!chance(prng, 40) || plain === '') return plain;
  const at = prng.below(plain.length);
  return `${plain.slice(0, at)}\\u${plain.charCodeAt(at).toString(16).padStart(4, '0')}${plain.slice(at + 1)}`;
}

function id(prng: Prng): string {
  const hex = Array.from({ length: pick(prng, [16, 32]) }, () => prng.below(16).toString(16)).join('');
  return chance(prng, 15)
    ? pick(prng, ['null', '""', '7', `"${'i'.repeat(129)}"`, `"${'é'.repeat(9)}"`, '"\\u0061b"'])
    : `"${hex}"`;
}

function number(prng: Prng): string {
  return chance(prng, 3) ? pick(prng, NUMBERS) : pick(prng, NUMBERS.slice(0, 12));
}

/** The value of a known key, mostly one that it may have. */
function valueOf(prng: Prng, name_: string): string {
  if (chance(prng, 60)) return value(prng, 2);
  switch (name_) {
    case 'timestamp':
      return `"${chance(prng, 4) ? pick(prng, TIMES) : pick(prng, TIMES.slice(0, 9))}"`;
    case 'level':
      return chance(prng, 12)
        ? pick(prng, ['9', '"17"', '0', '25', '1.5', '"LOUD"', '"Error"', '"ınfo"', '"\\u0049NFO"', '"INFO "', 'null'])
        : pick(prng, [
            '"INFO"',
            '"info"',
            '"ERROR"',
            '"WARN"',
            '"warning"',
            '"CRITICAL"',
            '"DEBUG"',
            '"trace"',
            '"FATAL"',
            '"err"',
          ]);
    case 'message':
      return quoted(prng);
    case 'metadata':
      return metadata(prng);
    case 'trace_id':
    case 'span_id':
    case 'parent_span_id':
      return id(prng);
    case 'kind':
      return pick(prng, ['"event"', '"log"', '"span"', '"inner_span"', ...(chance(prng, 6) ? ['"odd"', 'null', '"spam"'] : [])]);
    case 'latency_ms':
    case 'adjusted_count':
      return chance(prng, 20) ? pick(prng, ['null', '"5"', '[]']) : number(prng);
    default:
      return name(prng);
  }
}

function object(prng: Prng, keys: string[]): string {
  for (let i = keys.length - 1; i > 0; i--) {
    const j = chance(prng, 2) ? prng.below(i + 1) : i;
    [keys[i], keys[j]] = [keys[j] as string, keys[i] as string];
  }
  const members = keys.map(
    (name_) => `${spaces(prng)}"${name_}"${spaces(prng)}:${spaces(prng)}${valueOf(prng, name_)}${spaces(prng)}`,
  );
  return `{${members.join(',')}${chance(prng, 200) ? ',' : ''}}`;
}

function metadata(prng: Prng): string {
  const keys = KNOWN_KEYS.slice(9).filter(() => chance(prng, 4));
  for (let n = prng.below(4); n > 0; n--) keys.push(key(prng));
  return object(prng, keys);
}

/** One event as JSON text: valid more often than not, with everything an event may hold, and much that it may not. */
export function randomEvent(prng: Prng): string {
  const keys = KNOWN_KEYS.slice(0, 5).filter(() => !chance(prng, 60));
  keys.push(...KNOWN_KEYS.slice(5).filter((_, i) => chance(prng, i < 4 ? 3 : 25)));
  for (let n = prng.below(3); n > 0; n--) if (chance(prng, 3)) keys.push(key(prng));
  return object(prng, keys);
}

/** A body of one to several events as an object, an array or NDJSON, sometimes with junk between or cut off. */
export function randomBody(prng: Prng): Buffer {
  const events = Array.from({ length: 1 + prng.below(5) }, () => randomEvent(prng));
  if (chance(prng, 6))
    events.splice(prng.below(events.length), 0, pick(prng, ['', ' ', '\r', '1', '{}', 'null', '{"a":', '[1]', '\ufeff']));
  const form = prng.below(5);
  const end = pick(prng, ['', '\n', '\r\n', '\n\n ']);
  let body = events[0] as string;
  if (form === 1) body = `${spaces(prng)}[${events.join(pick(prng, [',', ' ,\n ', ',\r\n']))}]${spaces(prng)}`;
  else if (form > 1)
    body = events.map((event) => event.replaceAll('\n', ' ')).join(pick(prng, ['\n', '\r\n', '\n\n', ' \n\t'])) + end;
  const bytes = Buffer.from(chance(prng, 100) ? `\ufeff${body}` : body);
  return chance(prng, 40) ? bytes.subarray(0, prng.below(bytes.length + 1)) : bytes;
}

const ALPHABET = Buffer.from('{}[]",:\\0123456789.eE+-ntfu \t\x01\x7f\xc3\xa9\xff\nabcTZ/', 'latin1');

/** The body with one to three bytes or stretches changed, removed or repeated. */
export function mutatedBody(prng: Prng, source: Buffer): Buffer {
  let body = Buffer.from(source);
  for (let k = prng.below(3); k >= 0 && body.length > 0; k--) {
    const at = prng.below(body.length);
    const kind = prng.below(5);
    if (kind < 3) body[at] = ALPHABET[prng.below(ALPHABET.length)] as number;
    else if (kind === 3)
      body = Buffer.concat([body.subarray(0, at), body.subarray(Math.min(body.length, at + 1 + prng.below(12)))]);
    else body = Buffer.concat([body.subarray(0, at), body.subarray(prng.below(at + 1), at), body.subarray(at)]);
  }
  return body;
}
