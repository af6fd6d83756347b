import assert from 'node:assert/strict';
import test from 'node:test';
import { reportText } from './evaluate.ts';

test('a report is one table a set, with the interval and the number behind each value', () => {
  const figures = [
    { measure: 'recall', value: 0.5, low: 0.1, high: 0.9, n: 2, of: 'faults' },
    { measure: 'delay', value: Infinity, low: NaN, high: NaN, n: 0, of: 'faults' },
    { measure: 'rate', value: NaN, low: 0, high: 123.4, n: 0, of: 'days' },
  ];
  const set = { set: 'a', layout: 'servers', recordings: 1, seconds: 2, figures } as const;
  const lines = reportText({ detector: 'helios', seed: 1, falseAlarmBudget: 1, sets: [set, set] }).split('\n');
  assert.deepEqual(lines.slice(0, 6), [
    'a (servers, 1 recordings, 2.0 s)',
    'MEASURE  VALUE  95 %            N',
    'recall   0.500  0.100 to 0.900  2 faults',
    'delay    never                  0 faults',
    'rate     -      0.000 to 123    0 days',
    '',
  ]);
  assert.equal(lines.length, 11);
});
