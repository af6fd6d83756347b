import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import { CallGraph } from './call-graph.ts';
import { rankCauses } from './cause-ranking.ts';
import { decodeState, encodeState } from './state-codec.ts';
import { addRow, newBatch } from './traffic.fixture.ts';

/** A trace that walks `path` caller first; spans arrive innermost first, as they end, or the other way round. */
function trace(graph: CallGraph, path: readonly string[], seed: number, outermostFirst = false): void {
  const prng = createPrng(seed);
  const batch = newBatch();
  const ids = path.map(() => [prng.below(2 ** 32), prng.below(2 ** 32)] as const);
  const order = path.map((_, i) => i);
  for (const hop of outermostFirst ? order : order.toReversed()) {
    const i = batch.count;
    addRow(batch, path[hop] as string, 0, false, 1);
    batch.traceHash.set([8 * seed, 1], 2 * i);
    batch.spanHash.set(ids[hop] as readonly [number, number], 2 * i);
    if (hop > 0) batch.parentHash.set(ids[hop - 1] as readonly [number, number], 2 * i);
  }
  graph.observe(batch);
}

function learned(): CallGraph {
  const graph = new CallGraph();
  for (let seed = 1; seed <= 6; seed++) trace(graph, ['front', 'cart', 'cart', 'stock'], seed, seed % 2 === 0);
  return graph;
}

test('edges are learned from parents in whatever order spans arrive', () => {
  const graph = learned();
  assert.deepEqual(graph.calleesOf('front'), ['cart']);
  assert.deepEqual(graph.calleesOf('cart'), ['stock']);
  assert.equal(graph.reaches('front', 'stock'), true);
  assert.equal(graph.reaches('stock', 'front'), false);
});

test('a single sighting is not an edge yet', () => {
  const graph = new CallGraph();
  trace(graph, ['front', 'cart'], 1);
  assert.deepEqual(graph.calleesOf('front'), []);
});

test('a graph restored from its state goes on learning and answering', () => {
  const graph = new CallGraph();
  graph.state = decodeState(encodeState(learned().state)) as typeof graph.state;
  assert.equal(graph.reaches('front', 'stock'), true);
  for (let seed = 11; seed <= 14; seed++) trace(graph, ['stock', 'db'], seed);
  assert.equal(graph.reaches('front', 'db'), true);
});

const member = (service: string, signal: 'error_rate' | 'traffic' | 'silence' | 'latency', startedMs = 0, ratio = 8) => ({
  id: service + signal,
  service,
  signal,
  startedMs,
  firing: true,
  endedMs: -1,
  severity: 'high' as const,
  score: 0.8,
  ratio,
  summary: 'x',
});
const first = (members: ReturnType<typeof member>[]) => rankCauses(members, [], learned())[0]?.service;

test('errors of callers are explained by the service they call, though they were seen first', () => {
  assert.equal(
    first([member('front', 'error_rate', 0), member('cart', 'error_rate', 10_000), member('stock', 'latency', 20_000)]),
    'stock',
  );
  assert.equal(first([member('front', 'error_rate', 0), member('stock', 'latency', 600_000)]), 'front');
  assert.equal(first([member('front', 'error_rate', 0), member('unrelated', 'error_rate', 10_000)]), 'front');
});

test('a loss of traffic is explained by the caller that lost it', () => {
  assert.equal(first([member('stock', 'silence', 0), member('front', 'silence', 10_000)]), 'front');
  assert.equal(first([member('front', 'error_rate', 0), member('stock', 'silence', 0)]), 'stock');
});

test('the reason says what explains a lower rank', () => {
  const causes = rankCauses([member('front', 'error_rate', 0), member('cart', 'error_rate', 10_000)], [], learned());
  assert.match(causes[1]?.reason ?? '', /^front deviated first: x, explained by cart on its call path\.$/);
});

test('of a chain of symptoms each points at its end, and the end says how many it explains', () => {
  const members = [member('front', 'error_rate', 0), member('cart', 'error_rate', 5000), member('stock', 'latency', 10_000)];
  const causes = rankCauses(members, [], learned());
  assert.match(causes[0]?.reason ?? '', /^stock deviated 10 s after the first: x, explains 2 others\.$/);
  for (const { reason } of causes.slice(1)) assert.match(reason, /explained by stock on its call path/);
});

test('what other methods found of a service, or of one signal of it, moves its rank and stands in the reason', () => {
  const members = [member('a', 'error_rate'), member('b', 'error_rate'), member('b', 'latency')];
  const found = [{ service: 'b', signal: 'latency' as const, points: 0.5, reason: 'its own time grew', evidence: ['tr-1'] }];
  const [top, ...rest] = rankCauses(members, [], learned(), found);
  assert.deepEqual([top?.service, top?.signal, top?.evidence], ['b', 'latency', ['blatency', 'tr-1']]);
  assert.match(top?.reason ?? '', /: x, its own time grew\.$/);
  assert.ok(rest.every(({ reason }) => !reason.includes('its own time')));
});

test('the graph knows services that called or were called, and no others', () => {
  const graph = learned();
  assert.deepEqual([graph.knows('front'), graph.knows('stock'), graph.knows('elsewhere')], [true, true, false]);
  assert.equal(new CallGraph().knows('front'), false);
});
