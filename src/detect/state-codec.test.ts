import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { decodeState, encodeState } from './state-codec.ts';

test('any plain state comes back equal', () => {
  const leaf = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.uint8Array(),
    fc.uint16Array(),
    fc.uint32Array(),
    fc.int32Array(),
    fc.float32Array(),
    fc.float64Array(),
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.dictionary(
        fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
        tie('tree'),
        { maxKeys: 5, noNullPrototype: true },
      ),
      fc.array(fc.tuple(fc.string(), tie('tree')), { maxLength: 5 }).map((entries) => new Map(entries)),
      fc.array(fc.integer(), { maxLength: 5 }).map((items) => new Set(items)),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      assert.deepStrictEqual(decodeState(encodeState(value)), value);
    }),
    { seed: 7, numRuns: 300 },
  );
});

test('a state read from a Buffer does not share its memory', () => {
  const bytes = Buffer.from(encodeState({ values: Float64Array.of(1, 2) }));
  const state = decodeState(bytes) as { values: Float64Array };
  bytes.fill(0);
  assert.deepEqual([...state.values], [1, 2]);
});

test('cut, foreign and overlong bytes are refused as corrupt data', () => {
  const bytes = encodeState({ a: [1, 2.5, 'x'], b: new Map([['k', Uint8Array.of(1, 2, 3)]]) });
  const corrupt = { code: 'corrupt_data' };
  for (let length = 0; length < bytes.length; length++) assert.throws(() => decodeState(bytes.slice(0, length)), corrupt);
  assert.throws(() => decodeState(new TextEncoder().encode('{"a":1}')), corrupt);
  assert.throws(() => decodeState(Uint8Array.of(...bytes, 0)), corrupt);
});

test('a function in the state is a bug', () => {
  assert.throws(() => encodeState({ run: () => 1 }), TypeError);
});
