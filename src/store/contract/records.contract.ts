import assert from 'node:assert/strict';
import type { RecordStore } from '../record-store.ts';
import { updateRecords } from '../record-store.ts';
import type { ContractTests } from './store-fixture.ts';

async function revisionOf(records: RecordStore, key: string): Promise<number> {
  const [record] = await records.get([key]);
  return record?.revision ?? 0;
}

async function keysOf(records: RecordStore, query: Parameters<RecordStore['list']>[0]): Promise<string[]> {
  return (await records.list(query)).map(({ key }) => key);
}

export const recordsContract: ContractTests = {
  'records are written all or not at all, by who knows what is there': async (fixture) => {
    const { records } = fixture.store;
    const [first, second] = ['a', 'b'].map((key) => ({ key, value: { of: key, list: [1, null, 'ü'] }, revision: 0 }));
    assert.ok(first && second);
    assert.equal(await records.write([first, second]), true);
    assert.equal(await records.write([first]), false, 'there is one');
    assert.equal(await records.write([{ ...first, revision: await revisionOf(records, 'a') }, second]), false);
    const revision = await revisionOf(records, 'a');
    assert.equal(await records.write([{ key: 'a', value: 7, revision }]), true);
    assert.equal(await records.write([{ key: 'a', value: 8, revision }]), false, 'it is another now');
    await fixture.restart();
    const found = await fixture.store.records.get(['a', 'b', 'c']);
    assert.deepEqual(
      found.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ key, value }) => [key, value]),
      [
        ['a', 7],
        ['b', second.value],
      ],
    );
  },

  'a record that was removed and made anew is another': async ({ store: { records } }) => {
    await records.write([{ key: 'a', value: 1, revision: 0 }]);
    const revision = await revisionOf(records, 'a');
    assert.equal(await records.write([{ key: 'a', value: undefined, revision }]), true);
    assert.deepEqual(await records.get(['a']), []);
    assert.equal(await records.write([{ key: 'a', value: 1, revision: 0 }]), true);
    assert.equal(await records.write([{ key: 'a', value: 2, revision }]), false);
  },

  'records are listed by what their keys begin with, in the order of their bytes': async ({ store: { records } }) => {
    const keys = ['b/1', 'b/10', 'b/2', 'b/Z', 'b/z', 'b/é', 'b/\u{1f600}', 'a/1', 'b', 'c/1'];
    await records.write(keys.map((key) => ({ key, value: key, revision: 0 })));
    const all = ['b/1', 'b/10', 'b/2', 'b/Z', 'b/z', 'b/é', 'b/\u{1f600}'];
    assert.deepEqual(await keysOf(records, { prefix: 'b/', limit: 100 }), all);
    assert.deepEqual(await keysOf(records, { prefix: 'b/', limit: 2 }), all.slice(0, 2));
    assert.deepEqual(await keysOf(records, { prefix: 'b/', after: 'b/10', limit: 2 }), all.slice(2, 4));
    assert.deepEqual(await keysOf(records, { prefix: 'b/', after: 'a', limit: 1 }), ['b/1']);
    assert.deepEqual(await keysOf(records, { prefix: 'x', limit: 1 }), []);
  },

  'many who count at once lose nothing': async ({ store: { records } }) => {
    const add = (): Promise<number> =>
      updateRecords(records, ['sum', 'last'], (values) => {
        const sum = ((values.get('sum') as number | undefined) ?? 0) + 1;
        return {
          values: new Map([
            ['sum', sum],
            ['last', { sum }],
          ] as [string, unknown][]),
          answer: sum,
        };
      });
    const sums = await Promise.all(Array.from({ length: 20 }, add));
    assert.deepEqual(
      sums.toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    assert.deepEqual((await records.get(['last']))[0]?.value, { sum: 20 });
  },

  'a key that cannot be kept, and one that is written twice, are refused': async ({ store: { records } }) => {
    for (const key of ['', 'a\0b', '\ud800', 'x'.repeat(2000)])
      await assert.rejects(records.write([{ key, value: 1, revision: 0 }]), { code: 'invalid_argument' });
    const twice = { key: 'a', value: 1, revision: 0 };
    await assert.rejects(records.write([twice, twice]), { code: 'invalid_argument' });
  },
};
