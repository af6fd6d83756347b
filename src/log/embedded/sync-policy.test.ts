import assert from 'node:assert/strict';
import test from 'node:test';
import { SyncPolicy } from './sync-policy.ts';

test('a fast disk is waited for, a disk that has become slow is not, and one that recovers is again', () => {
  const policy = new SyncPolicy('auto', 0.3);
  assert.equal(policy.next(false), 'sync');
  for (let i = 0; i < 10; i++) policy.measured(8);
  const calls = Array.from({ length: 400 }, () => policy.next(false));
  assert.equal(calls.filter((call) => call === 'sync').length, 2, 'the occasional probe');
  for (let i = 0; i < 60; i++) policy.measured(0.2);
  assert.equal(policy.next(false), 'sync');
});

test('a configured mode is kept whatever the disk does', () => {
  const policy = new SyncPolicy('async', 0.1);
  policy.measured(0.1);
  assert.equal(policy.next(false), 'async');
  assert.equal(new SyncPolicy('sync', 50).next(false), 'sync');
});

test('a commit that brings zeros with it does not block while the disk decides', () => {
  const policy = new SyncPolicy('auto', 0.3);
  assert.deepEqual([policy.next(true), policy.next(false)], ['async', 'sync']);
  assert.equal(new SyncPolicy('sync', 50).next(true), 'sync');
});
