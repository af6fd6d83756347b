import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng, type Prng } from '../lib/prng.ts';
import { findMessage } from './message-range.ts';

/** What JSON.parse says, the oracle. */
function parsedMessage(json: string): string | undefined {
  const { message } = JSON.parse(json) as { message?: unknown };
  return typeof message === 'string' ? message : undefined;
}

function foundMessage(json: string): string | undefined {
  // Bytes around the slice belong to other events and must not be looked at.
  const bytes = Buffer.from(`{"message":"before"}${json}{"message":"after"}`);
  const range = { start: 0, end: 0 };
  const found = findMessage(bytes, 20, Buffer.byteLength(json), range);
  return found ? (JSON.parse(`"${bytes.toString('utf8', range.start, range.end)}"`) as string) : undefined;
}

const CASES: Record<string, string> = {
  'a plain message': '{"timestamp":"t","message":"hello","level":"ERROR"}',
  'an empty message': '{"message":""}',
  'escapes in the message': String.raw`{"message":"a \"quoted\" \\ path\/x \u00e9\ud83d\ude00 \n end\\"}`,
  'a message key in metadata': '{"metadata":{"message":"inner","a":[{"message":"deeper"}]},"message":"outer"}',
  'a message after metadata with brackets in strings': String.raw`{"metadata":{"a":"}]{[\"","b":[[],{}]},"message":"m"}`,
  'an event without a message': '{"metadata":{"message":"inner"},"text":"message"}',
  'duplicate keys': '{"message":"first","message":"last"}',
  'a duplicate that is no string': '{"message":"first","message":{"message":"x"}}',
  'an earlier duplicate that is no string': '{"message":[1,"a]"],"message":"last"}',
  'an escaped key': String.raw`{"mess\u0061ge":"m"}`,
  'an escaped key that is another one': String.raw`{"mess\u0062ge":"m","\"message":"x","message\\":"y"}`,
  'white space everywhere': '{ "a" : 1 ,\t"message" :\r "m" , "b" : null }',
  'scalars of every kind': '{"a":-1.5e+3,"b":true,"c":false,"d":null,"e":[],"f":{},"message":"m"}',
  'an empty object': '{}',
};

for (const [name, json] of Object.entries(CASES)) {
  test(`the message found equals JSON.parse for ${name}`, () => assert.equal(foundMessage(json), parsedMessage(json)));
}

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

function randomValue(prng: Prng, depth: number): string {
  const kind = prng.below(depth > 0 ? 8 : 5);
  if (kind < 3) return `"${randomText(prng)}"`;
  if (kind === 3) return ['1', '-2.5e3', '0', '12345'][prng.below(4)] as string;
  if (kind === 4) return ['true', 'false', 'null'][prng.below(3)] as string;
  if (kind === 5) return `[${Array.from({ length: prng.below(3) }, () => randomValue(prng, depth - 1)).join(', ')}]`;
  return randomObject(prng, depth - 1);
}

function randomObject(prng: Prng, depth: number): string {
  const members = Array.from({ length: prng.below(5) }, () => {
    const key = prng.below(3) === 0 ? 'message' : randomText(prng);
    const space = ' '.repeat(prng.below(2));
    return `${space}"${key}"${space}:${space}${randomValue(prng, depth)}${space}`;
  });
  return `{${members.join(',')}}`;
}

test('the message found equals JSON.parse for 20,000 random and mutated events', () => {
  const prng = createPrng(2024);
  let judged = 0;
  let found = 0;
  while (judged < 20_000) {
    let json = randomObject(prng, 3);
    if (prng.below(2) === 0) {
      const at = prng.below(json.length);
      json = json.slice(0, at) + (PIECES[prng.below(PIECES.length)] as string) + json.slice(at + prng.below(3));
    }
    let expected: string | undefined;
    try {
      expected = parsedMessage(json);
    } catch {
      continue;
    }
    if (!json.startsWith('{')) continue;
    judged++;
    if (expected !== undefined) found++;
    assert.equal(foundMessage(json)?.toWellFormed(), expected?.toWellFormed(), json);
  }
  assert.ok(found > 3_000, `only ${found} had a message`);
});
