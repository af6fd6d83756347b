import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng, type Prng } from '../lib/prng.ts';
import { cutText, decodeText } from './message-text.ts';

const PIECES = [
  'message',
  'mess\\u0061ge',
  '\\"',
  '\\\\',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  ' ',
  'a',
  '7',
  '\u00e9',
  '\\ud83d\\ude00',
  '\\n',
  '\\/',
];

function randomText(prng: Prng): string {
  let text = '';
  for (let n = prng.below(6); n > 0; n--) text += PIECES[prng.below(PIECES.length)] as string;
  return text;
}

test('raw text is never cut inside an escape or a character', () => {
  const prng = createPrng(7);
  for (let i = 0; i < 2_000; i++) {
    const raw = Array.from({ length: 8 }, () => randomText(prng)).join('');
    const bytes = Buffer.from(`"${raw}"`);
    const limit = prng.below(40) + 12;
    const cut = cutText(bytes, 1, bytes.length - 1, limit);
    assert.ok(cut - 1 <= limit);
    const text = decodeText(bytes, 1, cut);
    const whole = JSON.parse(`"${raw}"`) as string;
    assert.ok(whole.startsWith(text), raw);
    assert.ok(cut === bytes.length - 1 || cut - 1 > limit - 6, 'no more is lost than one escape');
  }
});
