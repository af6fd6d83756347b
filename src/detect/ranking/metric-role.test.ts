import assert from 'node:assert/strict';
import test from 'node:test';
import { isWorse, roleOf } from './metric-role.ts';
import { rolesOf } from './metric-roles.ts';

test('a role follows from the unit', () => {
  assert.equal(roleOf('ms', [1, 2]), 'duration');
  assert.equal(roleOf('{request}', [1, 2]), 'count');
  assert.equal(roleOf('By', [1, 2]), 'gauge');
});

test('a percentage is a success share when it is healthy near its ceiling, else a gauge', () => {
  assert.equal(roleOf('%', [100, 100, 97]), 'success');
  assert.equal(roleOf('1', [0.95, 0.99, 0.97]), 'success');
  assert.equal(roleOf('%', [12, 20, 30]), 'gauge');
});

test('without a unit behaviour decides, and a constant decides nothing', () => {
  assert.equal(roleOf(undefined, [100, 100, 98]), 'success');
  assert.equal(roleOf(undefined, [4, 9, 6]), 'count');
  assert.equal(roleOf(undefined, [0.2, 0.4]), 'gauge');
  assert.equal(roleOf(undefined, [100, 100]), undefined);
  assert.equal(roleOf(undefined, [NaN]), undefined);
});

test('worse is up for time and failures, down for success, either way otherwise', () => {
  assert.ok(isWorse('duration', 'up') && !isWorse('duration', 'down'));
  assert.ok(
    !isWorse('client-duration', 'down') && isWorse('failure', 'up') && isWorse('success', 'down') && !isWorse('success', 'up'),
  );
  assert.ok(isWorse('gauge', 'down') && isWorse('count', 'down'));
});

test('series of one name share the role most of them show, and a declared role outvotes all', () => {
  const entity = (name: string, normal: number[]) => ({ name, series: [{ name: 'x', normal, anomalous: [] }] });
  const entities = [entity('a', [100, 99]), entity('b', [100, 98]), entity('c', [0.5, 3.2])];
  assert.equal(rolesOf(entities)('x'), 'success');
  const declared = { name: 'd', series: [{ name: 'x', role: 'failure' as const, normal: [], anomalous: [] }] };
  assert.equal(rolesOf([...entities, declared])('x'), 'failure');
  assert.equal(rolesOf([])('x'), 'gauge');
});
