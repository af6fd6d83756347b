import assert from 'node:assert/strict';
import test from 'node:test';
import { matchesGlob } from './glob.ts';

test('a star stands for any characters, a question mark for one, the rest for itself', () => {
  const matching = [
    ['payment', 'payment'],
    ['*', ''],
    ['*', 'anything'],
    ['pay*', 'payment'],
    ['*ment', 'payment'],
    ['p*y*t', 'payment'],
    ['p?yment', 'payment'],
    ['**', 'x'],
    ['a*b*c', 'aXbXbc'],
    ['a.c', 'a.c'],
  ];
  const others = [
    ['payment', 'payments'],
    ['', 'x'],
    ['pay?', 'pay'],
    ['*x', 'payment'],
    ['a.c', 'abc'],
    ['A', 'a'],
  ];
  for (const [pattern = '', text = ''] of matching) assert.ok(matchesGlob(pattern, text), `${pattern} ${text}`);
  for (const [pattern = '', text = ''] of others) assert.ok(!matchesGlob(pattern, text), `${pattern} ${text}`);
});

test('a pattern full of stars does not take for ever', () => {
  assert.ok(!matchesGlob(`${'*a'.repeat(500)}b`, 'a'.repeat(5000)));
});
