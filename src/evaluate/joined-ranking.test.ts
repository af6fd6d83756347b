import assert from 'node:assert/strict';
import test from 'node:test';
import { joinRankings } from './joined-ranking.ts';

const traces = new Map([
  ['till', 5],
  ['stock', 2],
  ['mail', 2],
]);
const metrics = new Map([
  ['stock', 1],
  ['mail', 9],
  ['disk', 50],
]);

test('spans decide, metrics order what spans leave tied, and what has no spans comes last', () => {
  const order = [...joinRankings(traces, metrics)].sort(([, a], [, b]) => b - a).map(([name]) => name);
  assert.deepEqual(order, ['till', 'mail', 'stock', 'disk']);
});

test('without spans the ranking is that of the metrics, ties and all', () => {
  const joined = joinRankings(
    new Map(),
    new Map([
      ['a', 1],
      ['b', 3],
      ['c', 1],
    ]),
  );
  assert.equal(joined.get('a'), joined.get('c'));
  assert.ok((joined.get('b') as number) > (joined.get('a') as number));
  assert.deepEqual(joinRankings(traces, new Map()).get('stock'), joinRankings(traces, new Map()).get('mail'));
});
