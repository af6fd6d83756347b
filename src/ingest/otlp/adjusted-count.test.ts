import assert from 'node:assert/strict';
import test from 'node:test';
import { adjustedCount } from './adjusted-count.ts';

function countOf(traceState: string): number {
  const bytes = Buffer.from(`ot=th:8,${traceState},ot=th:8`);
  return adjustedCount(bytes, 8, bytes.length - 8);
}

test('the threshold of the ot member gives the count, wherever it stands', () => {
  for (const state of [
    'ot=th:c',
    'a=b,ot=th:c',
    'a=b, ot=rv:12345678901234;th:c;x:y\t,c=d',
    ' ot=th:c ',
    'ot=th:c0000000000000',
  ]) {
    assert.equal(countOf(state), 4, state);
  }
});

test('a threshold is the numerator of a fraction of 2^56, its missing digits zeros', () => {
  assert.equal(countOf('ot=th:0'), 1);
  assert.equal(countOf('ot=th:8'), 2);
  assert.ok(Math.abs(countOf('ot=th:fd70a3d70a3d7') - 100) < 1e-9);
  assert.equal(countOf('ot=th:ffffffffffffff'), 2 ** 56);
});

test('what is not a threshold counts as one span', () => {
  const states = [
    '',
    'ot=',
    'ot=th',
    'ot=th:',
    'ot=th:8Z',
    'ot=th:FF',
    'ot=th:800000000000000',
    'xot=th:8',
    'ot=xth:8',
    'to=th:8',
    'ot',
    ',',
  ];
  for (const state of states) assert.equal(countOf(state), 1, state);
});
