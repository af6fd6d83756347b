import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { maskMessage } from './template-mask.ts';

const CASES: [name: string, message: string, template: string][] = [
  ['numbers', 'pool has 12 of 3.5e4, -7 left, 99.5% used, 12MiB', 'pool has <*> of <*>, <*> left, <*>% used, <*>'],
  ['thousands and lists', '1,234,567 rows in shards 1,2,3', '<*> rows in shards <*>'],
  ['UUIDs', 'order 8f14e45f-ceea-467f-a8f1-2f5b5a6d1c2e lost', 'order <*> lost'],
  ['UUIDs inside a word', 'key=ord_8f14e45f-ceea-467f-a8f1-2f5b5a6d1c2e.json', 'key=ord_<*>.json'],
  ['hexadecimal ids', 'at 0xdeadbeef in trace 4bf92f3577b34da6', 'at <*> in trace <*>'],
  ['hexadecimal ids that end like a duration', 'span 84920174658392d, x:1234567d', 'span <*>, x:<*>'],
  ['mixed ids', 'request req_a8Xk2 of user_91', 'request req_<*> of user_<*>'],
  ['IPv4 addresses', 'connect 10.0.3.17:5432: refused by 10.0.0.0/16, 10.1.2.3.', 'connect <ip>:<*>: refused by <ip>/<*>, <ip>.'],
  ['IPv6 addresses', 'connect [fe80::1ff:fe23:4567:890a]:80, ::1, fe80::1%eth0', 'connect [<ip>]:<*>, <ip>, <ip>'],
  ['full IPv6 addresses', 'to 2001:0db8:0000:0000:0000:8a2e:0370:7334', 'to <ip>'],
  ['hardware addresses', 'link 00:1b:44:11:3a:b7 down', 'link <*> down'],
  ['e-mail addresses', 'mail to <jane.doe+x@example.com> bounced', 'mail to <<email>> bounced'],
  ['times', 'since 2025-10-08T10:30:45.123Z until 2025-10-08 10:30:45+02:00', 'since <time> until <time>'],
  ['access log times', '[08/Oct/2025:10:30:45 +0000] done', '[<time> <*>] done'],
  ['durations', 'took 12ms, then 1.5s, then 1h30m, 10\u00b5s', 'took <duration>, then <duration>, then <duration>, <duration>'],
  ['keys and values', 'retry=3 status:404 took=12.5ms a=b=7', 'retry=<*> status:<*> took=<duration> a=b=<*>'],
  [
    'addresses of resources',
    'GET https://u:pw@api.example.com:8443/v1/orders/1234/items?user=bob&t=9#top failed',
    'GET https://<*>@api.example.com:<*>/v1/orders/<*>/items?user=<*>&t=<*> failed',
  ],
  ['paths with ids', '"/users/42/avatar.png" and /cart?user=alice', '"/users/<*>/avatar.png" and /cart?user=<*>'],
  ['quoted ids', 'user \'u91ab3c\' and "7"', 'user \'<*>\' and "<*>"'],
  ['pods', 'pod payment-7f9c4d5b6d-xkqzv on node12', 'pod payment-<*>-<*> on node<*>'],
  ['stack frames', 'at com.shop.Cart.add(Cart.java:117) Cart@1a2b3c', 'at com.shop.Cart.add(Cart.java:<*>) Cart@<*>'],
];

for (const [name, message, template] of CASES) {
  test(`${name} are masked`, () => assert.equal(maskMessage(message), template));
}

test('words without anything that varies are kept as they are', () => {
  for (const text of [
    '',
    'Database connection timeout',
    'std::vector: what? is (it)!',
    '\u00fcberrascht  \u65e5\u672c\u8a9e\t\n',
    'GET /api/v1/cart',
  ]) {
    assert.equal(maskMessage(text), text);
  }
});

test('messages that differ in their numbers alone share a template', () => {
  const word = fc.constantFrom('order', 'user', 'timeout', 'on', 'failed', '/cart/', 'id=');
  const sentence = fc.array(fc.tuple(word, fc.nat()), { minLength: 1, maxLength: 8 });
  const spell = (parts: [string, number][], shift: number): string => parts.map(([text, n]) => `${text} ${n + shift}`).join(' ');
  fc.assert(
    fc.property(sentence, fc.integer({ min: 1, max: 1e9 }), (parts, shift) => {
      assert.equal(maskMessage(spell(parts, 0)), maskMessage(spell(parts, shift)));
    }),
  );
});

test('no digit of a plain number, and no text, is invented or lost around placeholders', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      const masked = maskMessage(text);
      if (!/[0-9@?]|::/.test(text)) assert.equal(masked, text);
      assert.ok(!/(^|\s)\d+(\s|$)/.test(masked));
    }),
    { numRuns: 500 },
  );
});
