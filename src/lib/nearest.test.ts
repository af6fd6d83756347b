import assert from 'node:assert/strict';
import test from 'node:test';
import { editDistance, nearestName } from './nearest.ts';

test('inserting, deleting, replacing and swapping each cost one edit', () => {
  assert.equal(editDistance('limit', 'limit'), 0);
  assert.equal(editDistance('limt', 'limit'), 1);
  assert.equal(editDistance('limits', 'limit'), 1);
  assert.equal(editDistance('lomit', 'limit'), 1);
  assert.equal(editDistance('lmiit', 'limit'), 1);
  assert.equal(editDistance('', 'limit'), 5);
});

test('the nearest name is found, and none when nothing is close', () => {
  assert.equal(nearestName('servce', ['from', 'service', 'to']), 'service');
  assert.equal(nearestName('zzzzzz', ['from', 'to']), null);
  assert.equal(nearestName('from', []), null);
});
