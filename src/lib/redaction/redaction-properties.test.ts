import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { redactionConfigSchema } from './config.ts';
import { createRedactor } from './redactor.ts';

const redactor = createRedactor(redactionConfigSchema.parse({ names: ['customer *'] }));
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const text = (alphabet: string, minLength: number, maxLength = minLength): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...Array.from(alphabet)), { minLength, maxLength }).map((letters) => letters.join(''));

/** Known by their look, so that they are found in any place. */
const shapedSecret = fc.oneof(
  text('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16).map((tail) => `AKIA${tail}`),
  text(ALPHANUMERIC, 36).map((tail) => `ghp_${tail}`),
  text(ALPHANUMERIC, 24).map((tail) => `sk_live_${tail}`),
  text(ALPHANUMERIC, 40).map((tail) => `sk-proj-${tail}`),
  fc
    .tuple(text(ALPHANUMERIC, 20), text(ALPHANUMERIC, 40), text(ALPHANUMERIC, 43))
    .map(([head, body, tail]) => `eyJ${head}.eyJ${body}.${tail}`),
);
/** Any printable characters; what a password may be. */
const password = fc
  .string({ unit: 'grapheme-ascii', minLength: 8, maxLength: 24 })
  .filter((secret) => /[0-9]/.test(secret) && /[A-Za-z]{3}/.test(secret) && !/^[\s"'`([{<$%*]|[\s"'`]/.test(secret));
const name = fc.constantFrom(
  'password',
  'dbPassword',
  'DB_PASSWORD',
  'client_secret',
  'api-key',
  'apiKey',
  'auth.token',
  'passphrase',
);
const around = fc.constantFrom('', 'login failed ', 'user=bob, ', 'GET /a?b=1 ', '[12] ', '\u65e5\u672c ');

/** Ways in which a line of log gets wrapped on its way. */
const wrap = fc.constantFrom<((line: string) => string)[]>(
  (line) => line,
  (line) => JSON.stringify({ message: line, level: 'ERROR' }),
  (line) => JSON.stringify({ log: JSON.stringify({ message: line }) }),
  (line) => JSON.stringify(JSON.stringify(JSON.stringify([line]))),
  (line) => encodeURIComponent(line),
  (line) =>
    line.replaceAll(/[A-Za-z]/g, (letter, at: number) => (at % 3 === 0 ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter)),
  (line) => Array.from(line).join('\u200b'),
);

/** A text without any of its own escapes, as a reader would decode it. */
function decoded(out: string): string {
  let last = out.replaceAll('\u200b', '');
  for (let i = 0; i < 6; i++) {
    last = last
      .replaceAll(/\\u([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      .replaceAll(/%([2-7][0-9A-F])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      .replaceAll(/\\(["\\/])/g, '$1');
  }
  return last;
}

test('no secret of a known look survives, however its line is wrapped and escaped', () => {
  fc.assert(
    fc.property(around, shapedSecret, around, wrap, (before, secret, after, wrapped) => {
      const out = redactor.open().redact(wrapped(`${before}${secret} ${after}`));
      assert.ok(!decoded(out).includes(secret), out);
    }),
    { numRuns: 400 },
  );
});

test('no secret beside its name survives, whatever characters it is made of', () => {
  const pair = fc.constantFrom<((key: string, secret: string) => string)[]>(
    (key, secret) => JSON.stringify({ [key]: secret, next: 1 }),
    (key, secret) => JSON.stringify({ body: JSON.stringify({ [key]: secret }) }),
    (key, secret) => JSON.stringify([{ config: { [key]: secret } }], null, 2),
    (key, secret) => `?a=1&${key}=${encodeURIComponent(secret)}&b=2`,
  );
  fc.assert(
    fc.property(around, name, password, pair, (before, key, secret, written) => {
      const out = redactor.open().redact(before + written(key, secret));
      assert.ok(!decoded(out).includes(secret) && !out.includes(JSON.stringify(secret).slice(1, -1)), out);
    }),
    { numRuns: 400 },
  );
});

test('personal data alone: what was replaced is put back byte for byte', () => {
  const personal = fc.oneof(
    // A local part such as pw=x would be the password that it looks like.
    fc.emailAddress().filter((address) => /^[\w.-]+@/.test(address)),
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom('+49 30 1234567', '4111 1111 1111 1111', 'customer Ann Lee', '[email-1]', '[ip-2]'),
    fc.constantFrom('GET /cart/7 200', 'took 12ms', '\u65e5\u672c\u8a9e', '\\n', '\\u0041', '%41', '"', '{"a":', '\u200b'),
  );
  fc.assert(
    fc.property(fc.array(personal, { maxLength: 12 }), wrap, (parts, wrapped) => {
      const line = wrapped(parts.join(' '));
      const session = redactor.open();
      const out = session.redact(line);
      assert.equal(session.restore(out), line);
      assert.doesNotMatch(out, /\[secret:/);
    }),
    { numRuns: 400 },
  );
});

test('texts of any kind are redacted without an error, and nothing is added but placeholders', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 200 })), (line) => {
      const session = redactor.open();
      const out = session.redact(line);
      if (!out.includes('[secret:')) assert.equal(session.restore(out), line);
    }),
    { numRuns: 500 },
  );
});

/** Each a mebibyte that a careless pattern would need hours for. */
const HOSTILE: readonly string[] = [
  'a',
  '\\',
  ' ',
  'key=',
  'token ',
  'password="',
  'password=',
  'pass',
  'cookie:',
  'bearer ',
  'authorization: bad ',
  'eyJ',
  'eyJ.',
  '1 ',
  '1-',
  '1.',
  ':1',
  '::',
  '+1',
  '+1 (',
  'a@',
  'a.',
  '@a.',
  '%25',
  '&amp;',
  '\\u005c',
  '\u001b[',
  'a://b:c',
  'a://b@',
  '-----BEGIN A-----',
  '-----BEGIN A-----\n',
  'xoxb-',
  'ghp_',
  'sk-a',
  'SG.a',
  '[email-1]',
  'customer ',
  '{"name":"password","value":',
  'ip-1-',
  'mysql ',
  'curl -u a',
  'password is a1',
  'a0',
];

test('hostile lines of a mebibyte are read in one go', { timeout: 120_000 }, () => {
  for (const piece of HOSTILE) {
    const line = piece.repeat(Math.ceil(2 ** 20 / piece.length));
    const out = redactor.open().redact(`${line} password=hunter2hunter2`);
    assert.ok(!out.includes('hunter2hunter2'), piece);
  }
});
