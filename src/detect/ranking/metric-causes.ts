import type { SeriesChange } from './change-score.ts';
import { findOrigin, type Origin } from './graph-origin.ts';
import { metricChange } from './metric-change.ts';
import type { MetricCauseInput, RankedEntity } from './metric-input.ts';
import { isWorse, type MetricRole } from './metric-role.ts';
import { rolesOf } from './metric-roles.ts';

/** A candidate, per (entity, series) or, by its leading series, per entity. */
export interface MetricCause {
  entity: string;
  series: string;
  direction: 'up' | 'down';
  /** Comparable within one ranking only; equal for ties. */
  score: number;
  /** 1-based; ties share the smallest. */
  rank: number;
  reason: string;
}

/** Counts move with the traffic that others send. */
const COUNT_WEIGHT = 0.5;
/** Getting better, as far as the role of the series says what that is. */
const BETTER_WEIGHT = 0.25;
/** A change of this score is half as strong as an endless one; topology decides between strong changes. */
const HALF_STRENGTH = 3;
/** What is left of a change where the graph shows no share of the symptom. */
const NO_SHARE = 0.05;
/** The same for an entity that the graph does not know. */
const OUTSIDE_GRAPH = 0.25;
const CHANGED_BONUS = 1.2;

interface Candidate {
  entity: number;
  series: string;
  change: SeriesChange;
  strength: number;
}

function strengthOf(change: SeriesChange, role: MetricRole): number {
  const weighted = change.score * (role === 'count' ? COUNT_WEIGHT : 1) * (isWorse(role, change.direction) ? 1 : BETTER_WEIGHT);
  return weighted / (weighted + HALF_STRENGTH);
}

function figure(value: number): string {
  return Number.isNaN(value) ? 'none' : String(Number(value.toPrecision(3)));
}

function reasonOf({ change, series, entity }: Candidate, { name, changed }: RankedEntity, origin: Origin | undefined): string {
  const times = change.score >= 100 ? 'over 100' : figure(change.score);
  const moved = `${series} of ${name} is ${change.direction}, ${figure(change.observed)} (usually ${figure(change.usual)})`;
  const parts = [`${moved}, ${times} times its usual largest deviation`];
  const share = origin?.shares[entity] ?? NaN;
  if (origin && !Number.isNaN(share)) {
    parts.push(`${Math.round(100 * share)} % of the ${origin.channel.name} symptom arises in it and not in what it calls`);
  }
  if (changed) parts.push('changed shortly before');
  return `${parts.join('; ')}.`;
}

/** How likely the entity is the origin by topology and change evidence, relative to others. */
function entityWeight(entity: RankedEntity, share: number, origin: Origin | undefined): number {
  const located = Number.isNaN(share) ? OUTSIDE_GRAPH : NO_SHARE + (1 - NO_SHARE) * share;
  return (origin ? located : 1) * (entity.changed ? CHANGED_BONUS : 1);
}

function ranked(causes: Omit<MetricCause, 'rank'>[]): MetricCause[] {
  const sorted = causes.toSorted((a, b) => b.score - a.score);
  let rank = 1;
  return sorted.map((cause, index) => {
    if (cause.score !== sorted[index - 1]?.score) rank = index + 1;
    return { ...cause, rank };
  });
}

/**
 * Candidates for the root cause of an anomaly, likeliest first: how much each series changed; then, with a call graph, the share
 * of the symptom that arises in the entity; last whether it was changed. `bySeries` has every series that has values in the
 * anomalous window, `byEntity` each entity once, by its leading series. Names only identify: renaming or reordering changes nothing
 * but the order within ties.
 */
export function rankMetricCauses(input: MetricCauseInput): { bySeries: MetricCause[]; byEntity: MetricCause[] } {
  const roles = rolesOf(input.entities);
  const origin = findOrigin(input, roles);
  const bySeries: Omit<MetricCause, 'rank'>[] = [];
  const byEntity: Omit<MetricCause, 'rank'>[] = [];
  input.entities.forEach((entity, number) => {
    const weight = entityWeight(entity, origin?.shares[number] ?? NaN, origin);
    const candidates = entity.series.flatMap((series): Candidate[] => {
      const change = metricChange(series, roles(series.name));
      if (Number.isNaN(change.observed)) return [];
      return [{ entity: number, series: series.name, change, strength: strengthOf(change, roles(series.name)) }];
    });
    const causes = candidates.map((candidate) => ({
      entity: entity.name,
      series: candidate.series,
      direction: candidate.change.direction,
      score: weight * candidate.strength,
      reason: reasonOf(candidate, entity, origin),
    }));
    bySeries.push(...causes);
    const lead = causes.toSorted((a, b) => b.score - a.score)[0];
    if (lead) byEntity.push(lead);
  });
  return { bySeries: ranked(bySeries), byEntity: ranked(byEntity) };
}
