import assert from 'node:assert/strict';
import test from 'node:test';
import { chosenWithout, constantIn, sensitivityTable, withConstant, type ConstantGrid } from './sensitivity-grid.ts';

const grid: ConstantGrid = {
  constant: 'src/a/rule.ts:LIMIT',
  committed: 4,
  measures: new Map([
    [
      4,
      new Map([
        ['x', 0.5],
        ['y', 0.5],
        ['z', 0.5],
      ]),
    ],
    [
      2,
      new Map([
        ['x', 0.1],
        ['y', 0.6],
        ['z', 0.6],
      ]),
    ],
    [
      8,
      new Map([
        ['x', 0.9],
        ['y', 0.4],
        ['z', 0.5],
      ]),
    ],
  ]),
};

test('a constant is set where it is defined, and only when that is one place', () => {
  const text = 'const LIMIT = 1_000;\nconst OTHER_LIMIT = 3;\nuse(LIMIT);\nconst TAIL = { share: 1e-3 };';
  assert.equal(constantIn(text, 'LIMIT'), 1000);
  assert.equal(constantIn(text, 'share'), 0.001);
  assert.match(withConstant(text, 'LIMIT', 0.5), /^const LIMIT = 0\.5;\nconst OTHER_LIMIT = 3;/);
  assert.throws(() => constantIn('const A = 1;\nlet A = 2;', 'A'), /2 times/);
  assert.throws(() => withConstant(text, 'MISSING', 1), /0 times/);
});

test('the value for a set is chosen on the others, and stays as committed when nothing is better', () => {
  assert.equal(chosenWithout(grid, 'x'), 2);
  assert.equal(chosenWithout(grid, 'y'), 8);
  const flat: ConstantGrid = {
    ...grid,
    measures: new Map(
      [...grid.measures.keys()].map((value) => [
        value,
        new Map([
          ['x', 1],
          ['y', 1],
        ]),
      ]),
    ),
  };
  assert.equal(chosenWithout(flat, 'x'), 4);
});

test('the table shows every value, the committed one bold, and what the choice costs the set that was left out', () => {
  const lines = sensitivityTable([grid]).split('\n');
  assert.equal(lines[2], '| rule.ts LIMIT | x | 2: 0.100, **4: 0.500**, 8: 0.900 | 2 | 0.100 | -0.400 |');
});
