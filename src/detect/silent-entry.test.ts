import assert from 'node:assert/strict';
import test from 'node:test';
import { kinshipOf } from './anomaly.fixture.ts';
import { isEntrySilent, type Quieted } from './silent-entry.ts';

const GRAPH = kinshipOf('entry>cart>stock', 'entry>search');

const stopped = (id: string, client = 'shop'): Quieted => ({
  id,
  client,
  count: 0,
  expected: 50,
  sinceCount: 100,
  sinceExpected: 300,
});
const goingOn = (id: string, client = 'shop'): Quieted => ({
  id,
  client,
  count: 0,
  expected: 0.5,
  sinceCount: 3,
  sinceExpected: 3,
});
const ALL = ['entry', 'cart', 'stock', 'search'].map((id) => stopped(id));

test('the entry is down when all that is silent hangs on it and something else by the same pipe goes on', () => {
  assert.equal(isEntrySilent([...ALL, goingOn('cron')], GRAPH), true);
});

test('without a witness, or with one that the entry calls, the data is late', () => {
  assert.equal(isEntrySilent(ALL, GRAPH), false);
  assert.equal(isEntrySilent([...ALL, goingOn('stock')], GRAPH), false);
  assert.equal(isEntrySilent([...ALL, { ...goingOn('cron'), sinceCount: 1 }], GRAPH), false);
});

test('something silent that the entry does not reach speaks for a pipe', () => {
  assert.equal(isEntrySilent([...ALL, stopped('warehouse'), goingOn('cron')], GRAPH), false);
});

test('a witness by another pipe counts only when several pipes stopped', () => {
  assert.equal(isEntrySilent([...ALL, goingOn('cron', 'batch')], GRAPH), false);
  const [entry, ...rest] = ALL as [Quieted, ...Quieted[]];
  assert.equal(isEntrySilent([{ ...entry, client: 'edge' }, ...rest, goingOn('cron', 'batch')], GRAPH), true);
});
