import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { pointerTo, resolvePointer } from './json-pointer.ts';

// RFC 6901, section 5, without the members whose names are awkward in TypeScript.
const DOCUMENT = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'm~n': 8, ' ': 7 };

test('the examples of RFC 6901 resolve as it says', () => {
  assert.equal(resolvePointer(DOCUMENT, ''), DOCUMENT);
  assert.deepEqual(resolvePointer(DOCUMENT, '/foo'), ['bar', 'baz']);
  assert.equal(resolvePointer(DOCUMENT, '/foo/0'), 'bar');
  assert.equal(resolvePointer(DOCUMENT, '/'), 0);
  assert.equal(resolvePointer(DOCUMENT, '/a~1b'), 1);
  assert.equal(resolvePointer(DOCUMENT, '/m~0n'), 8);
});

test('a pointer to nothing is undefined, also into prototypes, past the end and with odd indices', () => {
  for (const pointer of ['/none', '/foo/2', '/foo/-', '/foo/00', '/foo/length', '/toString', '/foo/0/x', 'foo']) {
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
