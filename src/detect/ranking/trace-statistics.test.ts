import assert from 'node:assert/strict';
import test from 'node:test';
import { templateHead } from './template-numbers.ts';
import { CALL, featureKey, featureOf, OPERATION, TEMPLATE, TraceNames } from './trace-keys.ts';
import { TraceStatistics } from './trace-statistics.ts';
import { FAULT_MS, traffic, type Call } from './trace-traffic.fixture.ts';
import { createTraceStep, type TraceStep } from './trace-step.ts';
import { blocksOf, sumSteps } from './trace-window.ts';
import { countOf, medianMs, superiority } from './latency-histogram.ts';

const call = (i: number): Call => ({
  service: 'a',
  endpoint: '/a',
  workMs: 10,
  children: [
    { service: 'a', endpoint: 'query', workMs: 2, message: `read ${i}` },
    { service: 'a', endpoint: 'query', workMs: 2 },
    { service: 'b', endpoint: '/b', workMs: 5, wayMs: 4, level: 'ERROR', message: 'no' },
  ],
});

function observed(): TraceStatistics {
  const statistics = new TraceStatistics();
  for (const batch of traffic(call, call)) statistics.observe(batch);
  statistics.flush();
  return statistics;
}

test('each step counts calls, what they have, own time and time on the way', () => {
  const { names, steps } = ((statistics) => ({ names: statistics.names, steps: statistics.steps(-Infinity, FAULT_MS) }))(
    observed(),
  );
  assert.equal(steps.length, 30);
  const sum = sumSteps(steps);
  const a = names.visitNumber(names.services.numberOf('a'), names.endpoints.numberOf('/a'));
  const b = names.visitNumber(names.services.numberOf('b'), names.endpoints.numberOf('/b'));
  assert.deepEqual([sum.calls.get(a), sum.calls.get(b)], [300, 300]);
  const count = (kind: number, part: number, repeatClass: number): number | undefined =>
    sum.features.get(featureKey(a, kind, part, repeatClass));
  const query = names.endpoints.numberOf('query');
  assert.deepEqual(
    [0, 1, 2].map((repeatClass) => count(OPERATION, query, repeatClass)),
    [300, 300, undefined],
  );
  assert.equal(count(CALL, b, 0), 300);
  assert.equal(count(TEMPLATE, names.templates.numberOf('read <*>'), 0), 300);
  assert.deepEqual([...sum.gaps.values()].map(countOf), [300]);
  assert.ok(Math.abs(medianMs(sum.selfTimes.get(a) as Uint32Array, 300) - 14) < 2);
});

test('numbers go on from a copy of their state', () => {
  const { names } = observed();
  const copy = new TraceNames(structuredClone(names.state));
  assert.deepEqual(copy.state, names.state);
  assert.equal(copy.visitNumber(1, 1), names.visitNumber(1, 1));
  assert.equal(copy.services.numberOf('new'), names.services.all.length + 1);
});

test('names beyond the cap have number 0', () => {
  const names = new TraceNames();
  for (let i = 0; i < 5000; i++) names.services.numberOf(`s${i}`);
  assert.deepEqual([names.services.all.length, names.services.numberOf('one more'), names.visitNumber(0, 1)], [4095, 0, 0]);
});

test('a feature key says of which visit, about what and how often', () => {
  assert.deepEqual(featureOf(featureKey(16_383, TEMPLATE, 16_382, 3)), {
    visit: 16_383,
    kind: TEMPLATE,
    part: 16_382,
    atLeast: 8,
  });
});

test('the head of a template has no values', () => {
  assert.equal(
    templateHead('10:00:01.5 WARN f.g.H#12 id 7f3a2b1c9d8e7f60 got 3 items of 9 more and more'),
    '<time> WARN f.g.H#<*> id <*> got <*> items',
  );
});

test('blocks end at gaps, and superiority is a half for equals', () => {
  const step = (at: number): TraceStep => createTraceStep(at * 10, at * 10 + 10);
  const blocks = blocksOf([0, 1, 2, 5, 6].map(step), 20);
  assert.deepEqual(
    blocks.map(({ startMs, endMs }) => [startMs, endMs]),
    [
      [0, 20],
      [20, 30],
      [50, 70],
    ],
  );
  const counts = Uint32Array.of(1, 2, 3);
  assert.deepEqual([superiority(counts, counts), superiority(Uint32Array.of(0, 0, 1), Uint32Array.of(3, 0, 0))], [0.5, 1]);
});
