import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import { PanelBuilder as BarChart } from '@grafana/grafana-foundation-sdk/barchart';
import {
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import { DashboardBuilder, DashboardCursorSync } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder as PrometheusQuery } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';

/** As infrastructure/grafana/provisioning names them. */
const PROMETHEUS: DataSourceRef = { type: 'prometheus', uid: 'helios-prometheus' };
const TIMESCALE: DataSourceRef = { type: 'grafana-postgresql-datasource', uid: 'helios-timescaledb' };

/** One series or set of series: PromQL with a legend, or SQL whose columns say what they are. */
export type Query = { promql: string; legend?: string } | { sql: string };

export interface PanelShape {
  title: string;
  /** What it shows and how to read it. */
  description: string;
  /** Grafana's name of a unit. */
  unit: string;
  /** Of 24 columns. */
  width: number;
  height?: number;
  min?: number;
  max?: number;
  stacked?: boolean;
  queries: readonly Query[];
}

type SqlFormat = 'time_series' | 'table';

/** The library has builders for most data sources, but none for PostgreSQL. */
function sqlQuery(rawSql: string, format: SqlFormat, refId: string): Builder<Dataquery> {
  const query = { refId, datasource: TIMESCALE, editorMode: 'code', rawQuery: true, format, rawSql };
  return { build: () => query as unknown as Dataquery };
}

function targets(queries: readonly Query[], format: SqlFormat, isInstant: boolean): Builder<Dataquery>[] {
  return queries.map((query, index) => {
    const refId = String.fromCodePoint(65 + index);
    if ('sql' in query) return sqlQuery(query.sql, format, refId);
    const built = new PrometheusQuery()
      .refId(refId)
      .datasource(PROMETHEUS)
      .expr(query.promql)
      .legendFormat(query.legend ?? '');
    return isInstant ? built.instant() : built.range();
  });
}

interface Common {
  title(title: string): this;
  description(description: string): this;
  unit(unit: string): this;
  span(columns: number): this;
  height(rows: number): this;
  min(min: number): this;
  max(max: number): this;
  datasource(datasource: DataSourceRef): this;
  targets(targets: Builder<Dataquery>[]): this;
}

function shaped<B extends Common>(builder: B, shape: PanelShape, format: SqlFormat, isInstant: boolean): B {
  const { title, description, unit, width, height = 8, min, max, queries } = shape;
  const isSql = queries.some((query) => 'sql' in query);
  builder
    .title(title)
    .description(description)
    .unit(unit)
    .span(width)
    .height(height)
    .datasource(isSql ? TIMESCALE : PROMETHEUS)
    .targets(targets(queries, format, isInstant));
  if (min !== undefined) builder.min(min);
  if (max !== undefined) builder.max(max);
  return builder;
}

export function timeSeries(shape: PanelShape): Builder<Panel> {
  const panel = shaped(new TimeSeries(), { min: 0, ...shape }, 'time_series', false)
    .lineWidth(1)
    .fillOpacity(shape.stacked === true ? 40 : 10)
    .legend(new VizLegendOptionsBuilder().showLegend(true).calcs(['lastNotNull', 'max']));
  return shape.stacked === true ? panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A')) : panel;
}

/** One number: the newest value. */
export function stat(shape: PanelShape): Builder<Panel> {
  const newest = new ReduceDataOptionsBuilder().values(false).calcs(['lastNotNull']);
  return shaped(new Stat(), { height: 4, ...shape }, 'table', true).reduceOptions(newest);
}

export function bars(shape: PanelShape): Builder<Panel> {
  return shaped(new BarChart(), { min: 0, ...shape }, 'table', true);
}

export function table(shape: PanelShape): Builder<Panel> {
  return shaped(new Table(), shape, 'table', true);
}

export function dashboard(uid: string, title: string, description: string): DashboardBuilder {
  return new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['helios'])
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh('30s')
    .time({ from: 'now-6h', to: 'now' });
}
