import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { writeFolder } from './folder.fixture.ts';
import { linesOf, numberOf, peekText, readJson, readText, splitCells, stampMs } from './text-file.ts';

test('cells lose their quotes and keep commas inside them', () => {
  assert.deepEqual(splitCells('a,,"b, ""c""",d'), ['a', '', 'b, "c"', 'd']);
  assert.deepEqual(splitCells('"x",1'), ['x', '1']);
});

test('stamps without a zone are UTC, and digits beyond milliseconds are cut', () => {
  const ms = Date.UTC(2014, 1, 26, 13, 45);
  assert.equal(stampMs('2014-02-26 13:45:00.000000'), ms);
  assert.equal(stampMs('2014-02-26 13:45:00'), ms);
  assert.equal(stampMs('2014-02-26T13:45:00Z'), ms);
  assert.equal(stampMs('2014-02-26T14:45:00+01:00'), ms);
});

test('empty cells and words are missing values', () => {
  assert.deepEqual(['1.5', '', ' ', 'NaN', undefined].map(numberOf), [1.5, NaN, NaN, NaN, NaN]);
});

test('a byte order mark, compression and line ends do not show', () => {
  using written = writeFolder({ 'a.gz': '\u{feff}x\r\ny\n', 'b.json': '{', 'c.json': '[1]' });
  assert.deepEqual(linesOf(readText(join(written.folder, 'a.gz'))), ['x', 'y']);
  assert.equal(peekText(join(written.folder, 'a.gz')), 'x\r\ny\n');
  assert.throws(() => readJson(join(written.folder, 'b.json')), /cannot read .*b\.json/);
  assert.throws(() => readText(join(written.folder, 'none')), /cannot read .*none/);
  assert.deepEqual(readJson(join(written.folder, 'c.json')), [1]);
});
