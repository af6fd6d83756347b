import assert from 'node:assert/strict';
import test from 'node:test';
import { boundedData, shortLists, sizeOf } from './bounded-data.ts';

test('what fits stays as it is', () => {
  const data = { items: [{ id: 'a', text: 'b'.repeat(1000) }] };
  assert.deepEqual(boundedData(data, 2000), { data, isCut: false });
  assert.deepEqual(shortLists(data, 2000), { data, isCut: false });
});

test('long texts are cut before lists are, and as little as needed', () => {
  const { data, isCut } = boundedData(
    { items: Array.from({ length: 10 }, (_, i) => ({ i, text: 'x'.repeat(100_000) })) },
    65_536,
  );
  assert.equal(isCut, true);
  assert.equal(data.items.length, 10);
  assert.ok(data.items.every(({ text }) => text.length === 5001 && text.endsWith('…')));
});

test('data of any form is within the bound, and remains JSON of well-formed text', () => {
  const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key ${i}`, i]));
  const deep = { a: [[['\u{1f600}'.repeat(50_000)]]] };
  const many = { points: Array.from({ length: 48 }, () => Array.from({ length: 720 }, (_, i) => [i, Math.PI * i])) };
  for (const value of [wide, deep, many, { wide, deep, many }]) {
    for (const maxBytes of [200, 4096, 65_536]) {
      const { data, isCut } = boundedData<object>(value, maxBytes);
      assert.ok(sizeOf(data) <= maxBytes);
      assert.equal(isCut, true);
      assert.ok(JSON.stringify(data).isWellFormed());
    }
  }
});

test('lists are shortened without touching any text', () => {
  const secret = 'password='.concat('x'.repeat(30_000));
  const { data, isCut } = shortLists({ items: Array.from({ length: 3000 }, () => ({ secret })) }, 65_536);
  assert.equal(isCut, true);
  assert.ok(data.items.length > 0 && data.items.length < 100);
  assert.ok(data.items.every((item) => item.secret === secret));
});
