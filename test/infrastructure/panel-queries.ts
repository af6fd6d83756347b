import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';

/** Panels that show something: rows only part them. */
export function panelsOf({ panels = [] }: Dashboard): Panel[] {
  return panels.filter((panel): panel is Panel => panel.type !== 'row');
}

export interface PanelQueries {
  promql: string[];
  /** As Grafana has them, with its macros. */
  sql: { title: string; sql: string }[];
}

export function panelQueries(board: Dashboard): PanelQueries {
  const queries: PanelQueries = { promql: [], sql: [] };
  for (const { title = '', targets = [] } of panelsOf(board)) {
    for (const target of targets) {
      const { expr, rawSql } = target as { expr?: string; rawSql?: string };
      if (expr !== undefined) queries.promql.push(expr);
      if (rawSql !== undefined) queries.sql.push({ title, sql: rawSql });
    }
  }
  return queries;
}

/**
 * SQL as Grafana sends it, for one hour and steps of a minute: its macros (the PostgreSQL data source's documentation) and this
 * repository's variables replaced.
 */
export function expandMacros(sql: string, hasTimeBucket: boolean): string {
  const from = "'2026-01-01T00:00:00Z'";
  const to = "'2026-01-01T01:00:00Z'";
  const bucket = (column: string, step: string): string =>
    hasTimeBucket ? `time_bucket('${step}', ${column})` : `to_timestamp(floor(extract(epoch FROM ${column}) / 60) * 60)`;
  return sql
    .replaceAll('$__interval', '1m')
    .replaceAll(
      /\$__timeGroupAlias\(([^,]+),\s*'?([^)']+)'?\)/g,
      (_, column: string, step: string) => `${bucket(column, step)} AS "time"`,
    )
    .replaceAll(/\$__timeGroup\(([^,]+),\s*'?([^)']+)'?\)/g, (_, column: string, step: string) => bucket(column, step))
    .replaceAll(/\$__timeFilter\(([^)]+)\)/g, `$1 BETWEEN ${from} AND ${to}`)
    .replaceAll('$__timeFrom()', from)
    .replaceAll('$__timeTo()', to)
    .replaceAll('$__unixEpochFrom()', '1767225600')
    .replaceAll('$__unixEpochTo()', '1767229200')
    .replaceAll('$usd_per_gib_month', '0.08');
}
