import assert from 'node:assert/strict';
import test from 'node:test';
import { redactionConfigSchema } from './config.ts';
import { passesLuhn } from './numbers.ts';
import { createRedactor } from './redactor.ts';

const config = redactionConfigSchema.parse({ names: ['Jane Doe', 'customer *', 'user_name="*"', '* has signed in'] });
const redactor = createRedactor(config);

const CASES: readonly (readonly [text: string, redacted: string])[] = [
  ['mail <jane.doe+x@example.com> bounced', 'mail <[email-1]> bounced'],
  ['mailto:j\u00fcrgen@b\u00fccher.example, a@b.co.uk.', 'mailto:[email-1], [email-2].'],
  ['user%40example.com asked', '[email-1] asked'],
  ['connect 10.0.3.17:5432: refused by 10.0.0.0/16', 'connect [ip-1]:5432: refused by [ip-2]/16'],
  ['from [2001:db8::1]:443 and fe80::1ff:fe23:4567:890a%eth0', 'from [[ip-1]]:443 and [ip-2]%eth0'],
  ['2001:db8::1: connection reset', '[ip-1]: connection reset'],
  ['::ffff:192.0.2.128 via 2001:0db8:0000:0000:0000:8a2e:0370:7334', '[ip-1] via [ip-2]'],
  ['host ip-10-0-1-23.ec2.internal', 'host ip-[ip-1].ec2.internal'],
  ['call +1 (555) 123-4567 or +49 30 1234567 or +15551234567', 'call [phone-1] or [phone-2] or [phone-3]'],
  ['call (555) 123-4567 or 555-123-4567', 'call [phone-1] or [phone-2]'],
  ['{"mobile":"0151 23456789","phone_number": 15551234567}', '{"mobile":"[phone-1]","phone_number": [phone-2]}'],
  ['card 4111 1111 1111 1111 20 or 4111-1111-1111-1111', 'card [card-1] 20 or [card-2]'],
  ['pan=5555555555554444;378282246310005', 'pan=[card-1];[card-2]'],
  ['Customer Ann-Marie O\u2019Neill Smith logged in', 'Customer [name-1] logged in'],
  ['user_name="bob" and jane doe', 'user_name="[name-1]" and [name-2]'],
  ['Bob Miller has signed in', '[name-1] has signed in'],
];

test('personal data becomes placeholders, and the session puts back what it has taken', () => {
  for (const [text, redacted] of CASES) {
    const session = redactor.open();
    assert.equal(session.redact(text), redacted);
    assert.equal(session.restore(redacted), text);
  }
});

test('the same value has the same placeholder throughout a session, and none of another session', () => {
  const session = redactor.open();
  assert.equal(session.redact('a@example.com to b@example.com'), '[email-1] to [email-2]');
  assert.equal(session.redact('b@example.com to a@example.com'), '[email-2] to [email-1]');
  assert.equal(session.restore('[email-2] and [email-9]'), 'b@example.com and [email-9]');
  assert.equal(redactor.open().restore('[email-2]'), '[email-2]');
});

test('a placeholder that somebody wrote into a line is not restored to what the session knows', () => {
  const session = redactor.open();
  session.redact('victim@example.com');
  const out = session.redact('look: [email-1]');
  assert.equal(out, 'look: [text-1]');
  assert.equal(session.restore(out), 'look: [email-1]');
});

test('what is escaped in Markdown, as in a report, is found too', () => {
  const redact = (text: string): string => redactor.open().redact(text);
  assert.equal(redact('of /u/ada\\@\u200bexample.net/x fail'), 'of /u/[email-1]/x fail');
  assert.equal(redact('jane\\_doe\\@\u200bexample.com asked'), '[email-1] asked');
  const credentials = 'postgres:\u200b//root:correct-horse\\@\u200bdb.example.com';
  assert.ok(!redact(credentials).includes('correct-horse'), redact(credentials));
});

test('kinds that are left out of the configuration stay', () => {
  const some = createRedactor({ ...config, personal_data: ['email'] });
  assert.equal(some.open().redact('a@example.com 10.0.0.1 +15551234567'), '[email-1] 10.0.0.1 +15551234567');
});

test('a card number passes its check digit', () => {
  for (const good of ['4111111111111111', '378282246310005', '0']) assert.ok(passesLuhn(good));
  for (const bad of ['4111111111111112', '1']) assert.ok(!passesLuhn(bad));
});

test('values of JSON are redacted in place, by what stands in them and by the name above them', () => {
  const session = createRedactor({ ...config, secret_keys: ['door-code'] }).open();
  const value = {
    password: 'hunter2',
    pin_code: 7,
    credentials: { user: 'ann', keys: ['k1'], count: 2, none: null, state: 'expired' },
    session_key: '9f8e7d6c5b4a39281706',
    token: { used: 3, text: 'abc' },
    phone: '0171 98765432',
    'door-code': 1234,
    'jane@example.com': [{ ip: '10.1.2.3', ok: true, none: null }],
    card: 4111111111111111,
    at: new Date(0),
    api_key: 123456789,
  };
  assert.deepEqual(session.redactDeep(value as unknown), {
    password: '[secret:password]',
    pin_code: 7,
    credentials: { user: '[secret:secret]', keys: ['[secret:secret]'], count: '[secret:secret]', none: null, state: 'expired' },
    session_key: '[secret:key]',
    token: { used: 3, text: '[secret:token]' },
    phone: '[phone-1]',
    'door-code': '[secret:secret]',
    '[email-1]': [{ ip: '[ip-1]', ok: true, none: null }],
    card: '[card-1]',
    at: '1970-01-01T00:00:00.000Z',
    api_key: '[secret:key]',
  });
  assert.equal(value.password, 'hunter2');
});

test('what cannot be redacted throws, and the error does not hold it', () => {
  const circle: Record<string, unknown> = { password: 'hunter2' };
  circle['self'] = circle;
  const session = redactor.open();
  assert.throws(() => session.redactDeep(circle), { name: 'HeliosError', code: 'internal', message: /nests deeper/ });
  assert.throws(() => session.redact('x'.repeat(2 ** 24 + 1)), { code: 'too_large' });
  const poisoned = { toString: () => 'hunter2' } as unknown as string;
  assert.throws(
    () => session.redact(poisoned),
    (error: Error) => error.name === 'HeliosError' && !`${error.message}${String(error.cause)}`.includes('hunter2'),
  );
});
