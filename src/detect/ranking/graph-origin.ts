import { changeScore } from './change-score.ts';
import { isTransit } from './component-kind.ts';
import { excessOf, passedOn, type Channel, type Excess } from './graph-excess.ts';
import { originShares } from './graph-flow.ts';
import type { MetricCauseInput, RankedEntity, RankedSeries } from './metric-input.ts';
import { isWorse, roleOf, type MetricRole } from './metric-role.ts';

/** Where in the call graph the symptom arises. */
export interface Origin {
  channel: Channel;
  /** By entity, in the order of the input: share of the symptom that arises in it, 0..1; NaN for one outside the graph. */
  shares: Float64Array;
  /** By entity: whether it only passes calls on. */
  transit: boolean[];
}

/** What arises in a component that its behaviour shows to be transit mostly belongs to its callee, measured a little late. */
const TRANSIT_KEEPS = 0.25;
const NO_EXCESS: Excess = { amount: 0, normal: new Float64Array(0), totals: new Float64Array(0) };

export function seriesRole(series: RankedSeries): MetricRole {
  return series.role ?? roleOf(series.unit, series.normal);
}

function addsUp(role: MetricRole): boolean {
  return role === 'duration' || role === 'success' || role === 'failure';
}

function named(entity: RankedEntity, name: string | undefined): RankedSeries | undefined {
  return entity.series.find((series) => series.name === name);
}

/** Sums `weight` by series name and returns the name with the most. */
function heaviest(entities: readonly RankedEntity[], weight: (series: RankedSeries) => number): string | undefined {
  const totals = new Map<string, number>();
  for (const { series } of entities) {
    for (const each of series) {
      const added = weight(each);
      if (added > 0) totals.set(each.name, (totals.get(each.name) ?? 0) + added);
    }
  }
  let best: string | undefined;
  for (const [name, total] of totals) if (best === undefined || total > (totals.get(best) as number)) best = name;
  return best;
}

/** The entry's series; else what changed most for the worse, at the entry or anywhere. */
function channelOf({ entities, entry }: MetricCauseInput): Channel | undefined {
  const worsening = (series: RankedSeries): number => {
    const role = seriesRole(series);
    if (!addsUp(role)) return 0;
    const { score, direction } = changeScore(series.normal, series.anomalous, series.recent);
    return isWorse(role, direction) ? Math.log1p(score) : 0;
  };
  const at = entities.filter(({ name }) => name === entry?.entity);
  const name = entry?.series ?? heaviest(at, worsening) ?? heaviest(entities, worsening);
  const holders = entities.flatMap((entity) => named(entity, name) ?? []);
  const own = at[0] && named(at[0], name);
  const role = own ? seriesRole(own) : holders.map(seriesRole).find(addsUp);
  if (name === undefined || role === undefined || !addsUp(role)) return undefined;
  const percent = holders.some(({ normal }) => Array.from(normal).some((value) => value > 1));
  return { name, role, ceiling: percent ? 100 : 1 };
}

/** The entry; without one, symptomatic entities that no symptomatic entity calls. */
function entryWeights(input: MetricCauseInput, callees: readonly number[][], excess: readonly Excess[]): Float64Array {
  const weights = new Float64Array(excess.length);
  const given = input.entities.findIndex(({ name }) => name === input.entry?.entity);
  if (given >= 0) return weights.fill(1, given, given + 1);
  const amounts = excess.map(({ amount }) => amount);
  const upstream = amounts.slice();
  callees.forEach((called, caller) => {
    if ((amounts[caller] as number) > 0) for (const callee of called) upstream[callee] = 0;
  });
  // Every symptomatic entity of a cycle has a symptomatic caller.
  const chosen = upstream.some((amount) => amount > 0) ? upstream : amounts;
  const total = chosen.reduce((all, amount) => all + amount, 0);
  return total > 0 ? weights.map((_, node) => (chosen[node] as number) / total) : weights;
}

/** Undefined without calls, or when no series measures something that adds up along calls. */
export function findOrigin(input: MetricCauseInput): Origin | undefined {
  const { entities } = input;
  const numbers = new Map(entities.map(({ name }, number) => [name, number]));
  const callees = entities.map((): number[] => []);
  const known = new Set<number>();
  for (const [from, to] of input.calls ?? []) {
    const [caller, callee] = [numbers.get(from), numbers.get(to)];
    if (caller === undefined || callee === undefined || caller === callee) continue;
    if (!callees[caller]?.includes(callee)) callees[caller]?.push(callee);
    known.add(caller).add(callee);
  }
  const channel = known.size > 0 ? channelOf(input) : undefined;
  if (!channel) return undefined;
  const countName = heaviest(entities, (series) => (seriesRole(series) === 'count' ? 1 : 0));
  const excess = entities.map((entity) => {
    const series = named(entity, channel.name);
    return series ? excessOf(series, named(entity, countName), channel) : NO_EXCESS;
  });
  const at = (node: number): Excess => excess[node] as Excess;
  const transit = entities.map(({ kind }, node) => {
    const [only, ...others] = callees[node] as number[];
    if (kind !== undefined) return kind === 'transit';
    return (
      channel.role === 'duration' && only !== undefined && others.length === 0 && isTransit(at(node).totals, at(only).totals)
    );
  });
  const keeps = entities.map(({ kind }, node) => (transit[node] ? (kind === 'transit' ? 0 : TRANSIT_KEEPS) : 1));
  const coupling = (caller: number, callee: number): number => passedOn(at(caller).normal, at(callee).normal);
  const graph = { callees, excess: excess.map(({ amount }) => amount), keeps, coupling };
  const shares = originShares(graph, entryWeights(input, callees, excess));
  return { channel, shares: shares.map((share, node) => (known.has(node) ? share : NaN)), transit };
}
