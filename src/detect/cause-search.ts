import type { CallGraph } from './call-graph.ts';
import type { CauseEvidence } from './cause-ranking.ts';
import { metricEvidence, traceEvidence } from './found-causes.ts';
import type { IncidentFiling } from './incident-filing.ts';
import type { IncidentGroup } from './incident-grouping.ts';
import type { MetricWatch } from './metric-watch.ts';
import type { TraceWatch } from './trace-watch.ts';

export interface CauseSources {
  filing: IncidentFiling;
  graph: CallGraph;
  traces: TraceWatch;
  watch: MetricWatch;
}

/** How far back causes are looked for. */
const CAUSE_REACH_MS = 600_000;
/** Services whose metrics are looked at for one incident, more or less. */
const MAX_SUSPECTS = 64;
/** Who learns nothing for longer does not know what is normal any more. */
const MAX_FREEZE_MS = 3_600_000;

/** Looks for causes of the open incidents in traces and metrics; event time has come to `nowMs`. */
export function searchCauses({ filing, graph, traces, watch }: CauseSources, nowMs: number): void {
  const troubles = filing.openGroups.map(({ firstStartMs }) => firstStartMs);
  const troubledSinceMs = Math.min(Infinity, ...troubles.filter((startMs) => nowMs - startMs <= MAX_FREEZE_MS));
  // What is normal ends where the trouble begins; only then can the trouble be ranked, and be over.
  if (troubledSinceMs !== Infinity) traces.advance(nowMs, troubledSinceMs);
  filing.findCauses((group, untilMs) => findCauses(group, untilMs), nowMs);
  if (troubledSinceMs === Infinity) traces.advance(nowMs, Infinity);

  /** Undefined when it is too late to look. */
  function findCauses({ firstStartMs, found, members }: IncidentGroup, untilMs: number): CauseEvidence[] | undefined {
    if (found && untilMs - firstStartMs > CAUSE_REACH_MS) return undefined;
    const fromMs = Math.max(firstStartMs, untilMs - CAUSE_REACH_MS);
    const fromTraces = traceEvidence(traces.rank(fromMs, untilMs), members);
    const services = new Set([...members, ...fromTraces].map(({ service }) => service));
    // A set's iteration goes on to what is added meanwhile: callees of callees too.
    for (const service of services) {
      if (services.size < MAX_SUSPECTS) for (const callee of graph.calleesOf(service)) services.add(callee);
    }
    return [...fromTraces, ...metricEvidence(watch.rank(services, fromMs, untilMs))];
  }
}
