import type { Span } from './span-buffer.ts';

/** One call of an entry endpoint: the spans of one service between being called and calling others. */
export interface Visit {
  service: number;
  endpoint: number;
  /** Index of the calling visit in the trace, or -1. */
  caller: number;
  startMs: number;
  endMs: number;
  /** Own spans, the entry first. */
  spans: Span[];
  /** Indices of the visits it called. */
  callees: number[];
  /** Duration less the union of what was spent in calls. */
  selfMs: number;
  /** Caller's duration of this call less the visit's own: the network and the queues between; NaN when no one span stands for the call. */
  gapMs: number;
}

/** Sum of the lengths of the union of intervals within [from, to]. Sorts `intervals`. */
export function unionLength(intervals: [number, number][], from: number, to: number): number {
  intervals.sort((a, b) => a[0] - b[0]);
  let reached = from;
  let length = 0;
  for (const [start, end] of intervals) {
    const upTo = Math.min(end, to);
    const since = Math.max(start, reached);
    if (upTo <= since) continue;
    length += upTo - since;
    reached = upTo;
  }
  return length;
}

/** Index of each span's parent, or -1; itself and what would close a circle have none. */
function parentsOf(spans: readonly Span[]): Int32Array {
  const indexOf = new Map<number, number>();
  spans.forEach((span, index) => indexOf.set(span.spanKey, index));
  const parents = Int32Array.from(spans, (span) => indexOf.get(span.parentKey) ?? -1);
  const state = new Uint8Array(spans.length);
  for (let i = 0; i < spans.length; i++) {
    const path: number[] = [];
    let at = i;
    while (at >= 0 && state[at] === 0) {
      state[at] = 1;
      path.push(at);
      at = parents[at] as number;
    }
    if (at >= 0 && state[at] === 1) parents[path.at(-1) as number] = -1;
    for (const index of path) state[index] = 2;
  }
  return parents;
}

/** Visits of a trace, in order of their entries' arrival. Repeated spans count once; children may come in any order. */
export function visitsOf(received: readonly Span[]): Visit[] {
  const seen = new Set<number>();
  const spans = received.filter((span) => !seen.has(span.spanKey) && seen.add(span.spanKey));
  const parents = parentsOf(spans);
  const childCount = new Uint16Array(spans.length);
  for (const parent of parents) if (parent >= 0) childCount[parent] = (childCount[parent] as number) + 1;
  const entries = entriesOf(spans, parents);
  const visits: Visit[] = [];
  const visitOf = new Int32Array(spans.length);
  spans.forEach(({ service, endpoint, startMs, endMs }, index) => {
    if (entries[index] !== index) return;
    const selfMs = endMs - startMs;
    visitOf[index] =
      visits.push({ service, endpoint, caller: -1, startMs, endMs, spans: [], callees: [], selfMs, gapMs: NaN }) - 1;
  });
  spans.forEach((span, index) => {
    const entry = entries[index] as number;
    visitOf[index] = visitOf[entry] as number;
    const own = (visits[visitOf[entry] as number] as Visit).spans;
    if (entry === index) own.unshift(span);
    else own.push(span);
  });
  linkVisits({ spans, parents, childCount, visitOf, visits });
  return visits;
}

/** Index of the span by which each span's service was entered. */
function entriesOf(spans: readonly Span[], parents: Int32Array): Int32Array {
  const entries = new Int32Array(spans.length).fill(-1);
  for (let i = 0; i < spans.length; i++) {
    const path: number[] = [];
    let at = i;
    while (entries[at] === -1) {
      path.push(at);
      const parent = parents[at] as number;
      if (parent < 0 || (spans[parent] as Span).service !== (spans[at] as Span).service) entries[at] = at;
      else at = parent;
    }
    for (const member of path) entries[member] = entries[at] as number;
  }
  return entries;
}

interface Forest {
  spans: Span[];
  parents: Int32Array;
  childCount: Uint16Array;
  visitOf: Int32Array;
  visits: Visit[];
}

function linkVisits({ spans, parents, childCount, visitOf, visits }: Forest): void {
  const remote = visits.map((): [number, number][] => []);
  spans.forEach((span, index) => {
    const parent = parents[index] as number;
    const number = visitOf[index] as number;
    if (parent < 0 || visitOf[parent] === number) return;
    const visit = visits[number] as Visit;
    visit.caller = visitOf[parent] as number;
    const caller = visits[visit.caller] as Visit;
    caller.callees.push(number);
    const client = spans[parent] as Span;
    // The span by which a service was entered is its own work too, not only that call.
    const isCall = childCount[parent] === 1 && client !== caller.spans[0];
    if (isCall) visit.gapMs = Math.max(0, client.endMs - client.startMs - (span.endMs - span.startMs));
    const { startMs, endMs } = isCall ? client : span;
    (remote[visit.caller] as [number, number][]).push([startMs, endMs]);
  });
  visits.forEach((visit, number) => {
    visit.selfMs -= unionLength(remote[number] as [number, number][], visit.startMs, visit.endMs);
  });
}
