import assert from 'node:assert/strict';
import test from 'node:test';
import { retryAfterMs, saidOf } from './outgoing-request.ts';

const NOW_MS = Date.UTC(2025, 9, 8, 10, 30);

test('Retry-After is seconds or a date, and at most an hour', () => {
  assert.equal(retryAfterMs('7', NOW_MS), 7000);
  assert.equal(retryAfterMs('Wed, 08 Oct 2025 10:30:30 GMT', NOW_MS), 30_000);
  assert.equal(retryAfterMs('99999999', NOW_MS), 3_600_000);
  for (const header of [undefined, '', 'soon', '-1', 'Wed, 08 Oct 2025 10:29:00 GMT'])
    assert.equal(retryAfterMs(header, NOW_MS), undefined);
});

test('of an answer the first words are told, without markup', () => {
  assert.equal(saidOf('<html><b>Sign\u0007 in</b>\n\n</html>'), ' (Sign in)');
  assert.equal(saidOf(' \n'), '');
  assert.ok(saidOf('x'.repeat(1000)).length < 200);
});
