import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from './byte-stream.ts';
import { HASH_BYTES } from './frame.ts';
import { readRecords, writeRecords, type RecordEntry } from './record-table.ts';

const hashes = fc.uint8Array({ minLength: HASH_BYTES, maxLength: HASH_BYTES }).map((bytes) => Buffer.from(bytes));
const time = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 42 }),
  fc.constantFrom(1.5, 0.123, Infinity, -Infinity, 1e300, -5),
  fc.double({ noNaN: true }),
);

const entry = fc.record({
  gap: fc.integer({ min: 0, max: 3 }),
  eventGap: fc.integer({ min: 0, max: 3 }),
  count: fc.nat(),
  length: fc.nat(),
  open: fc.boolean(),
  receivedAtMs: time,
  minTimestampMs: time,
  maxTimestampMs: time,
  clientId: fc.constantFrom('', 'a', 'b'),
  idempotency: fc.option(fc.record({ hashes, answer: fc.string() }, { noNullPrototype: true }), {
    nil: undefined,
  }),
});

test('records come back as they were written', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 30 }), fc.nat(), fc.nat(), (rows, firstOffset, firstEvent) => {
      let [offset, event] = [firstOffset, firstEvent];
      const entries = rows.map(({ gap, eventGap, ...rest }): RecordEntry => {
        offset += gap;
        event += eventGap;
        const made = { ...rest, offset: offset++, firstEvent: event };
        event += rest.count;
        return made;
      });
      const out = new ByteWriter();
      writeRecords(out, entries);
      assert.deepEqual(readRecords(new ByteReader(Buffer.from(out.view())), entries.length), entries);
    }),
    { numRuns: 300 },
  );
});

test('a table that is cut short or holds an endless number is refused', () => {
  assert.throws(() => readRecords(new ByteReader(Buffer.from([0, 1])), 1), /ends too early/);
  assert.throws(() => readRecords(new ByteReader(Buffer.alloc(20, 255)), 1), /too long/);
});
