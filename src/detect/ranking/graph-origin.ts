import { median } from './change-score.ts';
import { excessOf, type Channel } from './graph-excess.ts';
import { originShares } from './graph-flow.ts';
import { metricChange } from './metric-change.ts';
import type { MetricCauseInput, RankedEntity, RankedSeries } from './metric-input.ts';
import { isWorse, type MetricRole } from './metric-role.ts';
import type { SeriesRoles } from './metric-roles.ts';

/** Where in the call graph the symptom arises. */
export interface Origin {
  /** The leading one of those that were followed. */
  channel: Channel;
  /** By entity, in the order of the input: share of the symptom that arises in it, 0..1; NaN for one outside the graph. */
  shares: Float64Array;
}

/** A change is clear from this score on. */
const CLEAR = 3;

function addsUp(role: MetricRole): boolean {
  return role === 'duration' || role === 'success' || role === 'failure';
}

function named(entity: RankedEntity, name: string | undefined): RankedSeries | undefined {
  return entity.series.find((series) => series.name === name);
}

/** The name that most entities have a series of this role by; the larger in all, of two. */
function commonest(entities: readonly RankedEntity[], roles: SeriesRoles, role: MetricRole): string | undefined {
  const holders = new Map<string, number>();
  for (const { series } of entities) {
    for (const { name, normal } of series) {
      if (roles(name) !== role) continue;
      const size = median(normal);
      holders.set(name, (holders.get(name) ?? 0) + 1 + (Number.isNaN(size) ? 0 : size / (1 + size) / entities.length));
    }
  }
  return [...holders].toSorted((a, b) => b[1] - a[1])[0]?.[0];
}

/** How much each series that adds up got worse, by name: clear changes count by their logarithm. */
function worsened(entities: readonly RankedEntity[], roles: SeriesRoles): Map<string, number> {
  const totals = new Map<string, number>();
  for (const { series } of entities) {
    for (const each of series) {
      const { name } = each;
      const role = roles(name);
      if (!addsUp(role)) continue;
      const { score, direction } = metricChange(each, role);
      if (score > CLEAR && isWorse(role, direction)) totals.set(name, (totals.get(name) ?? 0) + Math.log(score / CLEAR));
    }
  }
  return totals;
}

/** The entry's series; else all that got worse at the entry, or anywhere. Weights add up to 1. */
function channelsOf({ entities, entry }: MetricCauseInput, roles: SeriesRoles): Channel[] {
  const at = entities.filter(({ name }) => name === entry?.entity);
  let weights = new Map<string, number>();
  if (entry?.series !== undefined) weights.set(entry.series, 1);
  if (weights.size === 0) weights = worsened(at, roles);
  if (weights.size === 0) weights = worsened(entities, roles);
  const total = [...weights.values()].reduce((all, weight) => all + weight, 0);
  return [...weights].flatMap(([name, weight]): Channel[] => {
    const holders = entities.flatMap((entity) => named(entity, name) ?? []);
    // A symptom pointed at, of which nothing else is known, is taken to be time.
    const unknown = holders.every(({ unit, role }) => unit === undefined && role === undefined);
    const role = unknown && roles(name) === 'gauge' ? 'duration' : roles(name);
    const percent = holders.some(({ normal }) => Array.from(normal).some((value) => value > 1));
    return addsUp(role) ? [{ name, role, ceiling: percent ? 100 : 1, weight: weight / total }] : [];
  });
}

/** The entry; without one, symptomatic entities that no symptomatic entity calls. */
function entryWeights(input: MetricCauseInput, callees: readonly number[][], amounts: readonly number[]): Float64Array {
  const weights = new Float64Array(amounts.length);
  const given = input.entities.findIndex(({ name }) => name === input.entry?.entity);
  if (given >= 0) return weights.fill(1, given, given + 1);
  const upstream = amounts.slice();
  callees.forEach((called, caller) => {
    if ((amounts[caller] as number) > 0) for (const callee of called) upstream[callee] = 0;
  });
  // Every symptomatic entity of a cycle has a symptomatic caller.
  const chosen = upstream.some((amount) => amount > 0) ? upstream : amounts;
  const total = chosen.reduce((all, amount) => all + amount, 0);
  return total > 0 ? weights.map((_, node) => (chosen[node] as number) / total) : weights;
}

interface Calls {
  callees: readonly number[][];
  known: ReadonlySet<number>;
}

function callsOf({ entities, calls }: MetricCauseInput): Calls {
  const numbers = new Map(entities.map(({ name }, number) => [name, number]));
  const callees = entities.map((): number[] => []);
  const known = new Set<number>();
  for (const [from, to] of calls ?? []) {
    const [caller, callee] = [numbers.get(from), numbers.get(to)];
    if (caller === undefined || callee === undefined || caller === callee) continue;
    if (!callees[caller]?.includes(callee)) callees[caller]?.push(callee);
    known.add(caller).add(callee);
  }
  return { callees, known };
}

/** Undefined without calls, or when no series measures something that adds up along calls. */
export function findOrigin(input: MetricCauseInput, roles: SeriesRoles): Origin | undefined {
  const { entities } = input;
  const { callees, known } = callsOf(input);
  const channels = known.size > 0 ? channelsOf(input, roles) : [];
  const lead = channels.toSorted((a, b) => b.weight - a.weight)[0];
  if (!lead) return undefined;
  const countName = commonest(entities, roles, 'count');
  const shares = new Float64Array(entities.length);
  const keeps = entities.map(({ kind }) => (kind === 'transit' ? 0 : 1));
  for (const channel of channels) {
    const excess = entities.map((entity) => {
      const series = named(entity, channel.name);
      return series ? excessOf(series, named(entity, countName), channel) : 0;
    });
    const graph = { callees, excess, keeps };
    const found = originShares(graph, entryWeights(input, callees, excess));
    found.forEach((share, node) => (shares[node] = (shares[node] as number) + channel.weight * share));
  }
  return { channel: lead, shares: shares.map((share, node) => (known.has(node) ? share : NaN)) };
}
