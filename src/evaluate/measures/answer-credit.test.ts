import assert from 'node:assert/strict';
import test from 'node:test';
import { answerCredit, answerCredits } from './answer-credit.ts';

const ranking = new Map([
  ['a', 9],
  ['b', 5],
  ['c', 5],
  ['d', 5],
  ['e', 1],
]);
const is =
  (...causes: string[]) =>
  (name: string) =>
    causes.includes(name);

test('credit is whole from the rank of the cause on', () => {
  assert.deepEqual(answerCredits(ranking, is('a')), [1, 1, 1, 1, 1]);
  assert.deepEqual(answerCredits(ranking, is('e')), [0, 0, 0, 0, 1]);
});

test('a cause in a tie of g from rank r has the expected credit (k - r + 1) / g', () => {
  const credits = answerCredits(ranking, is('c')).map((credit) => Math.round(credit * 3));
  assert.deepEqual(credits, [0, 1, 2, 3, 3]);
});

test('of several causes any counts, and a cause that is no candidate counts never', () => {
  assert.ok(Math.abs(answerCredit(ranking, is('b', 'c'), 2) - 2 / 3) < 1e-12);
  assert.equal(answerCredit(ranking, is('b', 'c'), 3), 1);
  assert.equal(answerCredit(ranking, is('z'), 5), 0);
  assert.equal(answerCredit(new Map(), is('a'), 1), 0);
});
