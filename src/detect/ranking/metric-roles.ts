import type { RankedEntity } from './metric-input.ts';
import { roleOf, type MetricRole } from './metric-role.ts';

/** The role of a series by its name, the same for all entities. */
export type SeriesRoles = (series: string) => MetricRole;

/**
 * Series of one name measure one thing: what is declared on any of them, else what most of them look like. One entity alone may
 * never have been healthy, or idle throughout.
 */
export function rolesOf(entities: readonly RankedEntity[]): SeriesRoles {
  const votes = new Map<string, Map<MetricRole, number>>();
  for (const { series } of entities) {
    for (const { name, role, unit, normal } of series) {
      const voted = role ?? roleOf(unit, normal);
      if (voted === undefined) continue;
      const own = votes.get(name) ?? new Map<MetricRole, number>();
      votes.set(name, own);
      own.set(voted, (own.get(voted) ?? 0) + (role === undefined ? 1 : entities.length));
    }
  }
  const roles = new Map<string, MetricRole>();
  for (const [name, own] of votes) {
    const [winner] = [...own].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    if (winner) roles.set(name, winner[0]);
  }
  return (series) => roles.get(series) ?? 'gauge';
}
