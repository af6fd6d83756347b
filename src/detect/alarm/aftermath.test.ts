import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aftermath } from './aftermath.ts';

const keeps = (...rows: number[]): number[] => {
  const aftermath = new Aftermath();
  return rows.map((departure) => aftermath.keep(departure));
};

test('a row after a spike keeps little of what voters say when nothing departs in it, and all of it when something does', () => {
  const [atSpike, calm, departing] = keeps(60, 0.6, 4) as [number, number, number];
  assert.equal(atSpike, 1);
  assert.ok(Math.abs(calm - 0.3) < 1e-12);
  assert.equal(departing, 1);
});

test('the larger the spike was, the less a calm row after it keeps; after small ones it keeps all', () => {
  const [, small] = keeps(5, 0.6) as [number, number];
  const [, middle] = keeps(20, 0.6) as [number, number];
  const [, huge] = keeps(600, 0.6) as [number, number];
  assert.equal(small, 1);
  assert.ok(middle < 0.6 && middle > huge, `${middle} ${huge}`);
});

test('a spike is forgotten after six rows', () => {
  const kept = keeps(100, 1, 1, 1, 1, 1, 1, 1);
  assert.ok((kept[6] as number) <= 0.5);
  assert.equal(kept[7], 1);
});
