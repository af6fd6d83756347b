import assert from 'node:assert/strict';
import test from 'node:test';
import { silentLogger } from '../../lib/logger.ts';
import { actionable, testRedaction } from './message.fixture.ts';
import { cut, cutRich, defang, MessageText, plainText, spansOf } from './message-text.ts';

const text = new MessageText(testRedaction, silentLogger, ['payment']);

test('links, mentions and domains are broken where anybody can see it', () => {
  assert.equal(defang('see https://evil.example/x'), 'see https[:]//evil[.]example/x');
  assert.equal(defang('www.a.b.com and mailto:x@y.org'), 'www[.]a[.]b[.]com and mailto[:]x[@]y[.]org');
  assert.equal(defang('@here #general'), '[@]here [#]general');
});

test('what is no link stays as it is', () => {
  for (const line of [
    'java.lang.NullPointerException at Pay.java:17',
    'v2.4.1, 12.5 ms, 10:30:40, 99.9 %',
    'GET /api/v1/events?service=payment&limit=20',
    'data: 3 rows, file: none, a - b, C# and 5 # 6',
  ])
    assert.equal(defang(line), line);
});

test('characters that nobody sees hide nothing', () => {
  assert.deepEqual(actionable(text.plain('h\u200bttps\u2060://evil.example @\u200bhere')), []);
  assert.equal(text.plain('a\u202eb\u0000c\nd'), 'ab c d');
});

test("the report's Markdown becomes bold and code, and its escapes are resolved", () => {
  const spans = spansOf(text.markdown('- **`payment` is slow:** 5 \\* 3 \\_x\\_ `a*b` (E1)'));
  assert.deepEqual(
    spans.map(({ text: part, isBold, isCode }) => [part, isBold, isCode]),
    [
      ['- ', false, false],
      ['payment', true, true],
      [' is slow:', true, false],
      [' 5 * 3 _x_ ', false, false],
      ['a*b', false, true],
      [' (E1)', false, false],
    ],
  );
});

test('a line that ends inside bold or code is closed, and markers of telemetry are none', () => {
  for (const line of ['**open', '`open', 'a ** b `c', '\ue000x\ue001y\ue002']) {
    const shown = spansOf(text.markdown(line));
    assert.equal(plainText(text.markdown(line)), shown.map((span) => span.text).join(''));
  }
  assert.equal(text.plain('\ue000x\ue001y'), 'xy');
});

test('a cut ends with an ellipsis, never inside a character or a marker', () => {
  assert.equal(cut('abcdef', 4), 'abc…');
  assert.equal(cut('ab\u{1f525}cd', 4), 'ab…');
  assert.equal(cut('abc', 3), 'abc');
  const line = text.markdown('**abcdef**');
  assert.deepEqual(spansOf(cutRich(line, 4)), [{ text: 'ab…', isBold: true, isCode: false }]);
});

test('a secret that begins in what is shown is known by its whole', () => {
  const line = `token ${'x'.repeat(20)} password=${'s3cret-'.repeat(20)} end`;
  for (let limit = 20; limit < 80; limit++) assert.doesNotMatch(text.plain(line, limit), /s3cret/);
});

test('what cannot be redacted is withheld, and the rest is told', () => {
  assert.match(text.plain('unspeakable'), /withheld/);
  assert.equal(text.plain('speakable'), 'speakable');
});
