import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { pointerTo, resolvePointer } from './json-pointer.ts';

// After RFC 6901, section 5.
const DOCUMENT = { items: ['first', 'second'], '': 0, 'a/b': 1, 'm~n': 8, ' ': 7 };

test('indices, escapes, the empty key and the whole document resolve as RFC 6901 says', () => {
  assert.equal(resolvePointer(DOCUMENT, ''), DOCUMENT);
  assert.deepEqual(resolvePointer(DOCUMENT, '/items'), ['first', 'second']);
  assert.equal(resolvePointer(DOCUMENT, '/items/0'), 'first');
  assert.equal(resolvePointer(DOCUMENT, '/'), 0);
  assert.equal(resolvePointer(DOCUMENT, '/a~1b'), 1);
  assert.equal(resolvePointer(DOCUMENT, '/m~0n'), 8);
});

test('a pointer to nothing is undefined, also into prototypes, past the end and with odd indices', () => {
  for (const pointer of ['/none', '/items/2', '/items/-', '/items/00', '/items/length', '/toString', '/items/0/x', 'items']) {
    assert.equal(resolvePointer(DOCUMENT, pointer), undefined, pointer);
  }
});

test('a pointer made of any keys leads back to the value', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), (keys) => {
      const document = keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), 42);
      const isPlain = keys.every((key) => key !== '__proto__');
      return !isPlain || resolvePointer(document, pointerTo(...keys)) === 42;
    }),
    { seed: 1 },
  );
});
