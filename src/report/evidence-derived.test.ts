import assert from 'node:assert/strict';
import test from 'node:test';
import type { Evidence } from '../model/report.ts';
import { checkedValue } from './evidence-check.fixture.ts';
import { countFact, productFact, rateRatioFact, ratioFact } from './evidence-derived.ts';
import { citeNumber, EvidenceList } from './evidence.ts';
import type { NumberFact } from './evidence.ts';

const BODY = {
  a: 12,
  b: 5,
  none: 0,
  items: [{ name: 'x', by: null }, { name: 'y' }, { name: 'x', by: 'me' }],
};
const ANSWER = { query: '/api/v1/things', body: BODY };
const META = { type: 'metric', service: 's', unit: 'events', fromMs: 0, toMs: 60_000 } as const;
const answerOf = (): Promise<unknown> => Promise.resolve(BODY);

function fact(name: 'a' | 'b' | 'none', toMs = 60_000): NumberFact {
  return citeNumber(ANSWER, `/${name}`, { ...META, toMs }) as NumberFact;
}

test('what follows from two items is numbered behind them and can be worked out again', async () => {
  const list = new EvidenceList();
  const id = list.id(ratioFact(fact('a'), fact('b')) as NumberFact);
  assert.equal(id, 'E3');
  assert.deepEqual(
    list.items.map(({ value, derived }) => [value, derived]),
    [
      [12, undefined],
      [5, undefined],
      [2.4, { rule: 'ratio', of: ['E1', 'E2'] }],
    ],
  );
  for (const item of list.items) assert.equal(await checkedValue(item, list.items, answerOf), item.value);
});

test('the same ratio is one item, that of other values another', () => {
  const list = new EvidenceList();
  const ids = [ratioFact(fact('a'), fact('b')), ratioFact(fact('a'), fact('b')), rateRatioFact(fact('a'), fact('b', 120_000))];
  assert.deepEqual(list.ids(ids), ['E3', 'E4']);
});

test('a rate ratio takes each value by the length of its time', () => {
  assert.equal(rateRatioFact(fact('a'), fact('b', 30_000))?.value.toFixed(6), '1.200000');
  assert.equal(rateRatioFact(fact('a'), fact('b', 120_000))?.value.toFixed(6), '4.800000');
});

test('a ratio to nothing, or of about one, is none', () => {
  assert.equal(ratioFact(fact('a'), fact('none')), undefined);
  assert.equal(ratioFact(fact('none'), fact('none')), undefined);
  assert.equal(ratioFact(fact('a'), fact('a')), undefined);
});

test('a product is a whole number of things', () => {
  const share = { ...fact('a'), value: 0.2499 };
  assert.equal(productFact(share, fact('a'))?.value, 3);
});

test('entries are counted that meet every condition, and null is no value or none', () => {
  const count = (where?: Parameters<typeof countFact>[3]): number | undefined => countFact(ANSWER, '/items', META, where)?.value;
  assert.equal(count(), 3);
  assert.equal(count([{ pointer: '/name', value: 'x' }]), 2);
  assert.equal(
    count([
      { pointer: '/name', value: 'x' },
      { pointer: '/by', value: null },
    ]),
    1,
  );
  assert.equal(count([{ pointer: '/name', value: 'z' }]), 0);
  assert.equal(countFact(ANSWER, '/a', META), undefined);
});

test('an item that follows from one that is not listed has no value', async () => {
  const list = new EvidenceList();
  list.id(ratioFact(fact('a'), fact('b')) as NumberFact);
  const [, , ratio] = list.items;
  assert.equal(await checkedValue(ratio as Evidence, [ratio as Evidence], answerOf), undefined);
});
