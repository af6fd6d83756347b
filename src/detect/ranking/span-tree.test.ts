import assert from 'node:assert/strict';
import test from 'node:test';
import { SpanBuffer, type Span } from './span-buffer.ts';
import { unionLength, visitsOf } from './span-tree.ts';

function span(spanKey: number, parentKey: number, service: number, startMs: number, endMs: number): Span {
  return { spanKey, parentKey, service, endpoint: spanKey, template: 0, level: 2, startMs, endMs };
}

/** Service 1 calls service 2 through a client span, which has a span of its own. */
const TRACE = [span(4, 3, 2, 32, 40), span(3, 2, 2, 30, 50), span(2, 1, 1, 20, 60), span(1, 0, 1, 0, 100)];

test('a visit is what one service does between being called and calling others', () => {
  const [callee, caller] = visitsOf(TRACE);
  assert.deepEqual([callee?.service, callee?.endpoint, callee?.spans.map((own) => own.spanKey)], [2, 3, [3, 4]]);
  assert.deepEqual([caller?.service, caller?.spans.map((own) => own.spanKey), caller?.callees], [1, [1, 2], [0]]);
  assert.deepEqual([callee?.selfMs, callee?.gapMs, caller?.selfMs], [20, 20, 60]);
  assert.ok(Number.isNaN(caller?.gapMs));
});

test('the order of spans and their repetition make no difference', () => {
  const shuffled = visitsOf([...TRACE.toReversed(), ...TRACE]);
  assert.deepEqual(
    shuffled.map(({ service, selfMs }) => [service, selfMs]),
    [
      [1, 60],
      [2, 20],
    ],
  );
});

test('parallel calls are subtracted once from the time of their caller', () => {
  const calls = [span(2, 1, 2, 10, 50), span(3, 1, 3, 20, 60), span(1, 0, 1, 0, 100)];
  assert.equal(visitsOf(calls)[2]?.selfMs, 50);
  assert.equal(
    unionLength(
      [
        [50, 70],
        [0, 10],
        [5, 20],
      ],
      8,
      60,
    ),
    22,
  );
});

test('spans whose parents go in a circle, or are missing, are visits of their own', () => {
  const circle = [span(1, 2, 1, 0, 10), span(2, 1, 1, 0, 10), span(3, 9, 1, 0, 10), span(4, 4, 1, 0, 10)];
  assert.equal(visitsOf(circle).length, 3);
});

test('a trace is complete seconds after its root, or when idle for a minute', () => {
  const sizes: number[] = [];
  const buffer = new SpanBuffer((spans) => sizes.push(spans.length));
  buffer.add(1, span(11, 10, 1, 0, 1000));
  buffer.add(1, span(10, 0, 1, 0, 1500));
  buffer.add(2, span(21, 20, 1, 0, 1600));
  buffer.add(1, span(12, 10, 1, 0, 1700));
  buffer.add(3, span(31, 0, 1, 0, 4000));
  assert.deepEqual([sizes, buffer.heldSpans], [[3], 2]);
  buffer.add(4, span(41, 0, 1, 0, 62_000));
  assert.deepEqual(sizes, [3, 1, 1]);
  buffer.flush();
  assert.deepEqual([sizes, buffer.heldSpans], [[3, 1, 1, 1], 0]);
});

test('spans held are bounded by completing the idlest trace early, and by cutting a trace without end', () => {
  const sizes: number[] = [];
  const buffer = new SpanBuffer((spans) => sizes.push(spans.length));
  for (let i = 0; i < 60_000; i++) buffer.add(i, span(i, 1, 1, 0, 1));
  assert.deepEqual([sizes.length, buffer.heldSpans], [40_000, 20_000]);
  buffer.flush();
  sizes.length = 0;
  for (let i = 0; i < 3000; i++) buffer.add(7, span(i, 1, 1, 0, 1));
  buffer.flush();
  assert.deepEqual(sizes, [2000]);
});
