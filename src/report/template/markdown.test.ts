import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { code, codeCell, escapeText, plainLine } from './markdown.ts';

const HOSTILE = [
  '[click](http://evil.example/x)',
  '![x](//evil.example/p.png)',
  '<script>alert(1)</script>',
  '# heading',
  '- item',
  '1. item',
  '> quote',
  '```\nfence\n```',
  '@everyone look at #1',
  'mail root@evil.example or www.evil.example',
  '| a | b |\n| --- | --- |',
  '**bold** _it_ ~~gone~~ &lt;b&gt;',
  'a\u202eb\u0000c\u2028d',
  '\\`tick\\`',
];
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc
    .array(fc.constantFrom(...HOSTILE, ...'`|\\[]()<>*_~#@!&:/\n\t .wW-+=123'.split('')), { maxLength: 12 })
    .map((parts) => parts.join('')),
);
const SEEDED = { seed: 20251008, numRuns: 2000 };

test('a line has no line break, control or bidirectional character and stays within its limit', () => {
  fc.assert(
    fc.property(hostile, fc.integer({ min: 2, max: 60 }), (text, limit) => {
      const line = plainLine(text, limit);
      assert.ok(line.length <= limit && line.isWellFormed());
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\u2028\u2029]/u);
    }),
    SEEDED,
  );
});

test('a line is never cut within a number', () => {
  assert.equal(plainLine('normally 26.45 ms', 12), 'normally …');
  assert.equal(plainLine('normally 1,234 ms', 15), 'normally …');
  assert.equal(plainLine('normally 26 ms', 13), 'normally 26 …');
});

test('a line is cut where a word ends, so that no half of a secret or an address stays that nobody would know for one', () => {
  const token = `ghp_${'a1B2'.repeat(9)}`;
  assert.equal(plainLine(`deployed with ${token} today`, 30), 'deployed with …');
  assert.equal(plainLine('dsn postgres://root:correct-horse@db.example.com/x', 30), 'dsn …');
  assert.equal(plainLine('/pay?user=ada.lovelace@example.com', 25), '/pay?user=…');
  assert.equal(plainLine('card 4111 1111 1111 1111 refused', 22), 'card …');
  assert.equal(plainLine('call +49 171 2345678 now', 14), 'call …');
  assert.equal(plainLine('postgres://root:correct-horse@db.example.com', 24), 'postgres://root:…');
  assert.equal(plainLine('/api/v1/incidents/search', 20), '/api/v1/incidents/…');
  assert.equal(plainLine('a-service-with-a-long-name', 20), 'a-service-with-a-…');
  assert.equal(plainLine('nothing is lost here', 16), 'nothing is lost…');
});

test('a line that was cut is the same when it is cut again to its own length', () => {
  fc.assert(
    fc.property(hostile, fc.integer({ min: 2, max: 60 }), (text, limit) => {
      const line = plainLine(text, limit);
      if (line.endsWith('…')) assert.equal(plainLine(text, line.length), line);
    }),
    SEEDED,
  );
});

test('what begins like an address of the web is broken before its dot, where renderers look for it', () => {
  assert.equal(escapeText('see w\u200bww.evil.example'), 'see www\u200b.evil.example');
});

test('escaped text has no character left that Markdown acts on', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const escaped = escapeText(text);
      assert.doesNotMatch(escaped.replaceAll(/\\[\s\S]/g, ''), /[\\`*[\]<>|~&@#]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/u);
      assert.doesNotMatch(escaped, /:\/\/|@\w|#\w|\bwww\.\w|\n/i);
      assert.doesNotMatch(escaped, /^([-+=>#]|\d+[.)])/);
    }),
    SEEDED,
  );
});

test('a code span holds any text in exactly one pair of backticks', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const span = code(text);
      assert.match(span, /^(`[^`\n]+`|\(empty\))$/);
    }),
    SEEDED,
  );
});

test('a code span in a table has no pipe that would end the cell', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      assert.doesNotMatch(codeCell(text), /\|/);
    }),
    SEEDED,
  );
});

test('ordinary text stays as it is', () => {
  assert.equal(escapeText('error_rate 32 % (expected 0.2 %)!'), 'error_rate 32 % (expected 0.2 %)!');
  assert.equal(code('/api/v1/pay?x=1'), '`/api/v1/pay?x=1`');
  assert.equal(code('it`s'), "`it's`");
});

test('marks that no reader sees go without a trace, so that what they were put into is recognized for what it is', () => {
  assert.equal(plainLine('p\u200bassw\u2060ord: x\u0000y'), 'password: x y');
  assert.equal(plainLine('\u202egnp.exe\u202c'), 'gnp.exe');
});
