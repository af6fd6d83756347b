import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { findRefusedRows } from './bisection.ts';
import { RowError } from './errors.ts';

test('every refused row is found, and only those, in few trials', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(499), { maxLength: 8 }), async (bad) => {
      let trials = 0;
      const found = await findRefusedRows(500, (from, to) => {
        trials++;
        const at = bad.filter((row) => row >= from && row < to);
        return Promise.resolve(at.length === 0 ? null : new RowError(`row ${Math.min(...at)}`, '22000', undefined));
      });
      assert.deepEqual(
        found.map(({ row, error }) => [row, error.message]),
        bad.toSorted((a, b) => a - b).map((row) => [row, `row ${row}`]),
      );
      assert.ok(trials <= 1 + 20 * bad.length);
    }),
    { numRuns: 100 },
  );
});

test('what fails for another reason than a row ends the search', async () => {
  await assert.rejects(
    findRefusedRows(10, () => Promise.reject(new Error('cut'))),
    /cut/,
  );
  assert.deepEqual(await findRefusedRows(0, () => Promise.reject(new Error('not asked'))), []);
});
