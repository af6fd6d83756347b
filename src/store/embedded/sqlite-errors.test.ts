import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { isCorrupt, storeError } from './sqlite-errors.ts';

function sqliteError(errcode: number): Error {
  return Object.assign(new Error('sqlite says no'), { code: 'ERR_SQLITE_ERROR', errcode });
}

test('each kind of database failure has its own code, extended result codes included', () => {
  const codes = [5, 261, 8, 10, 778, 11, 267, 13, 14, 26, 19].map((errcode) => storeError('commit', sqliteError(errcode)).code);
  assert.deepEqual(codes, [
    'unavailable',
    'unavailable',
    'data_dir_unusable',
    'unavailable',
    'unavailable',
    'corrupt_data',
    'corrupt_data',
    'disk_full',
    'data_dir_unusable',
    'corrupt_data',
    'internal',
  ]);
  assert.equal(storeError('commit', sqliteError(13)).message, 'cannot commit: sqlite says no');
});

test('errors of the file system and of our own keep their meaning', () => {
  const own = new HeliosError('gone', 'cannot go on');
  assert.equal(storeError('read', own), own);
  const noSpace = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  assert.equal(storeError('open', noSpace).code, 'disk_full');
  assert.equal(storeError('open', Object.assign(new Error('EACCES'), { code: 'EACCES' })).code, 'data_dir_unusable');
  assert.equal(storeError('open', new TypeError('a bug')).code, 'internal');
  assert.equal(storeError('open', 'thrown text').code, 'internal');
});

test('damage is told from other failures', () => {
  assert.deepEqual([sqliteError(11), sqliteError(26), sqliteError(13), new HeliosError('corrupt_data', 'x')].map(isCorrupt), [
    true,
    true,
    false,
    true,
  ]);
});
