import fc from 'fast-check';
import { EVENT_COLUMNS } from './event-rows.ts';

export type DecodedRow = Record<(typeof EVENT_COLUMNS)[number], unknown>;

const TYPES: Partial<Record<(typeof EVENT_COLUMNS)[number], (field: Buffer) => unknown>> = {
  // Microseconds since 2000 as milliseconds since 1970.
  time: (field) => Number(field.readBigInt64BE() + 946_684_800_000_000n) / 1000,
  log_position: (field) => field.readBigInt64BE(),
  log_partition: (field) => field.readInt16BE(),
  kind: (field) => field.readInt16BE(),
  level: (field) => field.readInt16BE(),
  weight: (field) => field.readInt16BE(),
  latency_ms: (field) => field.readDoubleBE(),
  metadata: (field) => JSON.parse(field.toString('utf8', 1)) as unknown,
};

/** Reads rows of binary COPY, without header and trailer, as the server would. */
export function decodeRows(bytes: Uint8Array): DecodedRow[] {
  const buffer = Buffer.from(bytes);
  const rows: DecodedRow[] = [];
  for (let p = 0; p < buffer.length;) {
    const fields = buffer.readInt16BE(p);
    if (fields !== EVENT_COLUMNS.length) throw new Error(`a row of ${fields} fields`);
    p += 2;
    const row = {} as DecodedRow;
    for (const column of EVENT_COLUMNS) {
      const length = buffer.readInt32BE(p);
      p += 4;
      if (length < 0) {
        row[column] = null;
        continue;
      }
      const field = buffer.subarray(p, p + length);
      row[column] = TYPES[column]?.(field) ?? field.toString('utf8');
      p += length;
    }
    rows.push(row);
  }
  return rows;
}

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('', 'a\u0000b', '\ud800', '\udc00x', 'x/y', '"\\\n\t', '€𝄞', 'other'),
);
const scalar = fc.oneof(text, fc.double({ noNaN: true }), fc.integer(), fc.boolean(), fc.constant(null));
const metadata = fc.dictionary(
  fc.oneof(
    text,
    fc.constantFrom('environment', 'service.namespace', 'version', 'endpoint', 'latency_ms', 'adjusted_count', '__proto__'),
  ),
  fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(text, scalar, { maxKeys: 3 })),
  { maxKeys: 6 },
);
/** A string in one of its spellings in JSON. */
const spelled = (value: string, odd: boolean): string => {
  const unit = (_: unknown, i: number): string => `\\u${value.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return odd ? `"${Array.from({ length: value.length }, unit).join('')}"` : JSON.stringify(value);
};
const pair = (key: string, value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(value, fc.constantFrom(':', ' :', ': ')).map(([json, colon]) => `"${key}"${colon}${json}`);
const json = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<string> => value.map((one) => JSON.stringify(one));
const textJson = fc.tuple(text, fc.boolean()).map(([value, odd]) => spelled(value, odd));
const required = fc.tuple(
  pair(
    'timestamp',
    json(
      fc.constantFrom(
        '2025-10-08T10:30:45Z',
        '0001-01-01T00:00:00.000001Z',
        '9999-12-31T23:59:59.999999+02:00',
        '1999-12-31T23:59:59.1234567Z',
      ),
    ),
  ),
  pair('service', fc.oneof(json(fc.constantFrom('cart', 'pay/ment', 'größe')), textJson)),
  pair('level', json(fc.constantFrom('INFO', 'err', 21, '9'))),
  pair('message', textJson),
);
const extra = fc.array(
  fc.oneof(
    pair(
      'metadata',
      fc.oneof(
        json(metadata),
        fc.constantFrom('null', '{}', ' { } ', '{"a":1E5}', '{"big":1e400}', '{"a":1,"a":2}', '{"z":"\\u0041"}'),
      ),
    ),
    pair('trace_id', fc.oneof(textJson, fc.constant('null'))),
    pair('span_id', textJson),
    pair('parent_span_id', textJson),
    pair('kind', json(fc.constantFrom('event', 'log', 'span', 'inner_span', 'odd', 3))),
    pair('host', json(scalar)),
    pair('mess\\u0061ge', textJson),
    pair('message', textJson),
  ),
  { maxLength: 5 },
);
/** Events as lines of JSON in odd spellings, some of them no events: escapes, repeated and unknown keys, any order. */
export const eventLine = fc
  .tuple(required, extra, fc.constantFrom(',', ', ', ' ,'))
  .chain(([first, more, comma]) =>
    fc.shuffledSubarray([...first, ...more], { minLength: first.length + more.length }).map((parts) => `{${parts.join(comma)}}`),
  );
