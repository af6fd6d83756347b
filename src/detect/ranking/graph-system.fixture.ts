import { createPrng, type Prng } from '../../lib/prng.ts';
import type { MetricCauseInput, RankedEntity } from './metric-input.ts';

export const TOPOLOGIES = ['tree', 'layers', 'passes', 'caches', 'fan-out', 'stubs'] as const;
export type Topology = (typeof TOPOLOGIES)[number];

/** A system of services as it is simulated; calls go to higher numbers, node 0 is the front door. */
interface Node {
  selfSeconds: number;
  failureShare: number;
  parallel: boolean;
  /** Calls of a callee per call of this node. */
  calls: Map<number, number>;
  transit: boolean;
}

export interface PlantedFault {
  input: MetricCauseInput;
  cause: string;
}

interface Windows {
  normal: number[][];
  anomalous: number[][];
}

const NORMAL_ROWS = 120;
const ANOMALOUS_ROWS = 4;
const SIZE = 16;

function plan(topology: Topology, prng: Prng): Node[] {
  const nodes = Array.from({ length: SIZE }, (): Node => {
    const selfSeconds = 0.002 * Math.exp(1.2 * prng.normal());
    return {
      selfSeconds,
      failureShare: 0.0005 * prng.next(),
      parallel: topology === 'fan-out',
      calls: new Map(),
      transit: false,
    };
  });
  for (let callee = 1; callee < SIZE; callee++) {
    const lowest = topology === 'layers' ? Math.max(0, callee - 5) : 0;
    const caller = (): number => lowest + prng.below(callee - lowest);
    const rate = (): number => (topology === 'caches' && prng.next() < 0.4 ? 0.1 : 0.5 + prng.next());
    const parents = topology === 'layers' ? 1 + prng.below(3) : 1;
    for (let i = 0; i < parents; i++) nodes[caller()]?.calls.set(callee, rate());
  }
  return topology === 'passes' ? withPasses(nodes, prng) : nodes;
}

/** Puts a load balancer into every other call. */
function withPasses(nodes: Node[], prng: Prng): Node[] {
  const result = nodes.slice();
  for (const node of nodes) {
    const calls = [...node.calls];
    for (const [callee, rate] of calls) {
      if (prng.next() < 0.5) continue;
      const between: Node = {
        selfSeconds: 0.00005,
        failureShare: 0,
        parallel: false,
        calls: new Map([[callee, 1]]),
        transit: true,
      };
      node.calls.delete(callee);
      node.calls.set(result.push(between) - 1, rate);
    }
  }
  return result;
}

/** Callees before callers. */
function inOrder(nodes: readonly Node[]): number[] {
  const done = new Set<number>();
  const visit = (node: number): void => {
    if (done.has(node)) return;
    for (const callee of nodes[node]?.calls.keys() ?? []) visit(callee);
    done.add(node);
  };
  visit(0);
  return [...done];
}

interface Fault {
  node: number;
  seconds: number;
  failures: number;
}

/** One row: [mean seconds, tail seconds, calls, success %] by node; NaN where there was no call. */
function row(nodes: readonly Node[], order: readonly number[], fault: Fault | undefined, prng: Prng): number[][] {
  const calls = new Float64Array(nodes.length);
  calls[0] = Math.round(500 * Math.exp(0.1 * prng.normal()));
  for (const node of order.toReversed()) {
    for (const [callee, rate] of nodes[node]?.calls ?? []) {
      const expected = rate * (calls[node] as number);
      calls[callee] = (calls[callee] as number) + Math.max(0, Math.round(expected + Math.sqrt(expected) * prng.normal()));
    }
  }
  const seconds = new Float64Array(nodes.length);
  const success = new Float64Array(nodes.length);
  for (const id of order) {
    const node = nodes[id] as Node;
    const hit = fault?.node === id ? fault : { seconds: 0, failures: 0 };
    const own = (node.selfSeconds + hit.seconds) * Math.exp((0.3 * prng.normal()) / Math.sqrt(1 + (calls[id] as number) / 20));
    const waits = [...node.calls].map(([callee, rate]) => rate * (seconds[callee] as number));
    seconds[id] = own + (node.parallel ? Math.max(0, ...waits) : waits.reduce((sum, wait) => sum + wait, 0));
    const n = calls[id] as number;
    const failing = n * (node.failureShare + hit.failures);
    const failed = Math.max(0, Math.min(n, Math.round(failing + Math.sqrt(failing) * prng.normal())));
    let succeeds = n === 0 ? 1 : 1 - failed / n;
    // Failures as they were drawn reach the callers, noise and all.
    for (const [callee, rate] of node.calls) {
      const kept = success[callee] as number;
      succeeds *= rate <= 1 ? 1 - rate * (1 - kept) : kept ** rate;
    }
    success[id] = succeeds;
  }
  return nodes.map((_, id) => {
    const mean = seconds[id] as number;
    const tail = mean * (3 + Math.abs(prng.normal()));
    return calls[id] === 0 ? [NaN, NaN, 0, NaN] : [mean, tail, calls[id] as number, 100 * (success[id] as number)];
  });
}

function simulate(nodes: readonly Node[], order: readonly number[], fault: Fault, prng: Prng): Windows[] {
  const normal = Array.from({ length: NORMAL_ROWS }, () => row(nodes, order, undefined, prng));
  const anomalous = Array.from({ length: ANOMALOUS_ROWS }, () => row(nodes, order, fault, prng));
  const column = (rows: number[][][], id: number, series: number): number[] => rows.map((each) => each[id]?.[series] ?? NaN);
  return nodes.map((_, id) => ({
    normal: [0, 1, 2, 3].map((series) => column(normal, id, series)),
    anomalous: [0, 1, 2, 3].map((series) => column(anomalous, id, series)),
  }));
}

/** A tenth of the calls to `node` as its caller sees them: a leaf of the graph with the same fault, and nothing behind it. */
function stubOf({ normal, anomalous }: Windows, prng: Prng): Windows {
  const seen = (series: number[][]): number[][] =>
    series.map((values, kind) =>
      values.map((value) =>
        kind === 2 ? Math.round(value / 10) : kind === 3 ? value : value * (1.1 + 0.1 * prng.next()) + 0.001,
      ),
    );
  return { normal: seen(normal), anomalous: seen(anomalous) };
}

function entityOf(name: string, { normal, anomalous }: Windows): RankedEntity {
  const series = ['p', 'q', 'r', 's'].map((label, kind) => ({
    name: label,
    unit: ['s', 's', '{request}', '%'][kind] as string,
    normal: normal[kind] as number[],
    anomalous: anomalous[kind] as number[],
  }));
  return { name, series };
}

/** A random system with one fault that the front door feels: `latency` by half its usual time or more, or 2 to 10 % failures. */
export function plantFault(seed: number, topology: Topology, symptom: 'latency' | 'failures'): PlantedFault {
  const prng = createPrng(seed);
  const nodes = plan(topology, prng);
  const order = inOrder(nodes);
  const reached = new Float64Array(nodes.length);
  reached[0] = 1;
  for (const node of order.toReversed()) {
    for (const [callee, rate] of nodes[node]?.calls ?? []) {
      reached[callee] = (reached[callee] as number) + rate * (reached[node] as number);
    }
  }
  const usual = row(nodes, order, undefined, prng)[0]?.[0] as number;
  const places = order.filter((id) => !nodes[id]?.transit && (reached[id] as number) > 0.05);
  const node = places[prng.below(places.length)] as number;
  const effect = symptom === 'latency' ? usual * (0.5 + 1.5 * prng.next()) : 0.02 + 0.08 * prng.next();
  const perCall = effect / Math.min(1, reached[node] as number);
  const fault =
    symptom === 'latency' ? { node, seconds: perCall, failures: 0 } : { node, seconds: 0, failures: Math.min(0.9, perCall) };
  const windows = simulate(nodes, order, fault, prng);
  const entities = windows.map((each, id) => entityOf(`n${id}`, each));
  const calls = nodes.flatMap(({ calls: own }, caller) => [...own.keys()].map((callee) => [`n${caller}`, `n${callee}`] as const));
  if (topology === 'stubs') {
    for (const [caller, callee] of calls.slice()) {
      if (prng.next() < 0.5) continue;
      const name: `n${number}` = `n${entities.length}`;
      entities.push(entityOf(name, stubOf(windows[Number(callee.slice(1))] as Windows, prng)));
      calls.push([caller, name]);
    }
  }
  return { input: { entities, calls, entry: { entity: 'n0', series: symptom === 'latency' ? 'p' : 's' } }, cause: `n${node}` };
}
