import { RowBuilder, TextBoxVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard, stat, table, timeSeries } from './panels.ts';
import { ROLE_JOBS } from './selectors.ts';

const GIB = '1073741824.0';

function addReports(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Reports'))
    .withPanel(
      stat({
        title: 'Reports stored',
        description: 'In the range, every version of an incident counted.',
        unit: 'short',
        width: 5,
        height: 8,
        queries: [
          {
            sql: `SELECT count(*) AS reports FROM documents
WHERE kind = 'report' AND time_ms >= $__unixEpochFrom() * 1000.0 AND time_ms < $__unixEpochTo() * 1000.0`,
          },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Reports built',
        description: 'By day and verdict.',
        unit: 'short',
        width: 10,
        stacked: true,
        queries: [{ promql: 'sum by (verdict) (increase(helios_report_built_total[1d]))', legend: '{{verdict}}' }],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Report failures',
        description: 'Attempts by day that failed and are tried again, by step.',
        unit: 'short',
        width: 9,
        queries: [{ promql: 'sum by (step) (increase(helios_report_failures_total[1d]))', legend: '{{step}}' }],
      }),
    );
}

/** Accounts of days are kept in UTC, one a record (docs/spending.md). */
const DAYS_IN_RANGE = `key >= 'spending/day/' || to_char(to_timestamp($__unixEpochFrom()) AT TIME ZONE 'UTC', 'YYYY-MM-DD')
  AND key <= 'spending/day/' || to_char(to_timestamp($__unixEpochTo()) AT TIME ZONE 'UTC', 'YYYY-MM-DD')`;

function addSpending(board: DashboardBuilder): void {
  board
    .withPanel(
      stat({
        title: 'Spent this month',
        description: 'On language models since the month began, UTC, by the price table (report.prices).',
        unit: 'currencyUSD',
        width: 4,
        height: 8,
        queries: [
          {
            sql: `SELECT coalesce(sum((value ->> 'spentMicro')::float8), 0) / 1e6 AS usd
FROM records WHERE key = 'spending/month/' || to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM')`,
          },
        ],
      }),
    )
    .withPanel(
      table({
        title: 'Calls, tokens and USD by service',
        description:
          'Of whole days in the range (UTC). A call is booked to the service that its incident names first, the most likely cause.',
        unit: 'short',
        width: 12,
        queries: [
          {
            sql: `SELECT used.key AS service,
  sum((used.value ->> 'calls')::float8) AS calls,
  sum((used.value ->> 'inputTokens')::float8) AS "tokens sent",
  sum((used.value ->> 'outputTokens')::float8) AS "tokens received",
  sum((used.value ->> 'micro')::float8) / 1e6 AS "USD"
FROM (SELECT value FROM records WHERE ${DAYS_IN_RANGE}) days, jsonb_each(days.value -> 'services') used
GROUP BY 1 ORDER BY 5 DESC, 1 LIMIT 50`,
          },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'USD by day',
        description: 'What language models cost. Caps are per incident, day and month (report.budget).',
        unit: 'currencyUSD',
        width: 8,
        queries: [{ promql: 'sum(increase(helios_llm_cost_usd_total[1d]))', legend: 'USD' }],
      }),
    );
}

function addCalls(board: DashboardBuilder): void {
  board.withRow(new RowBuilder('Language models'));
  addSpending(board);
  board
    .withPanel(
      timeSeries({
        title: 'Tokens by day',
        description: 'Sent and received; what is received costs several times as much.',
        unit: 'short',
        width: 8,
        stacked: true,
        queries: [{ promql: 'sum by (direction) (increase(helios_llm_tokens_total[1d]))', legend: '{{direction}}' }],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Calls by day',
        description: 'Requests that were paid for, and narratives by what came of them.',
        unit: 'short',
        width: 8,
        queries: [
          { promql: 'sum(increase(helios_llm_calls_total[1d]))', legend: 'calls' },
          { promql: 'sum by (outcome) (increase(helios_narrative_total[1d]))', legend: 'narrative, {{outcome}}' },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Refused by a cap',
        description: 'Requests by day that were not made because an incident, a day or a month had used up its budget.',
        unit: 'short',
        width: 8,
        stacked: true,
        queries: [{ promql: 'sum by (cap) (increase(helios_llm_refusals_total[1d]))', legend: '{{cap}}' }],
      }),
    );
}

function addStorage(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Storage'))
    .withPanel(
      stat({
        title: 'Database',
        description: 'Everything in it, indexes included.',
        unit: 'bytes',
        width: 4,
        queries: [{ sql: 'SELECT pg_database_size(current_database())::float8 AS bytes' }],
      }),
    )
    .withPanel(
      stat({
        title: 'Storage by month',
        description:
          'Size of the database at the price in the field above; the default is a list price for block storage, put in yours.',
        unit: 'currencyUSD',
        width: 4,
        queries: [{ sql: `SELECT pg_database_size(current_database()) / ${GIB} * $usd_per_gib_month AS usd` }],
      }),
    )
    .withPanel(
      table({
        title: 'Tables',
        description:
          'Bytes of each with its indexes; the chunks of a hypertable count for it, those in columns are summed up in one line.',
        unit: 'bytes',
        width: 8,
        queries: [
          {
            sql: `SELECT CASE WHEN coalesce(parent.relname, own.relname) ~ '^_?compress' THEN 'columnstore of hypertables'
            ELSE coalesce(parent.relname, own.relname) END AS "table",
  sum(pg_total_relation_size(own.oid))::float8 AS bytes
FROM pg_class own
JOIN pg_namespace space ON space.oid = own.relnamespace
LEFT JOIN pg_inherits inherits ON inherits.inhrelid = own.oid
LEFT JOIN pg_class parent ON parent.oid = inherits.inhparent
WHERE own.relkind = 'r' AND space.nspname IN ('public', '_timescaledb_internal')
GROUP BY 1 ORDER BY 2 DESC LIMIT 20`,
          },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Files of an embedded HELIOS',
        description:
          'Log segments and databases of a process that keeps its own data; empty where Kafka and TimescaleDB hold it.',
        unit: 'bytes',
        width: 8,
        stacked: true,
        queries: [
          { promql: 'sum by (log) (helios_log_stored_bytes)', legend: 'log, {{log}}' },
          { promql: 'sum(helios_store_database_bytes)', legend: 'store' },
          { promql: 'sum(helios_metric_store_database_bytes)', legend: 'metric store' },
        ],
      }),
    );
}

function addWork(board: DashboardBuilder): void {
  const events = 'sum(rate(helios_ingest_events_accepted_total[$__rate_interval]))';
  board
    .withRow(new RowBuilder('Work'))
    .withPanel(
      timeSeries({
        title: 'Processor seconds for a million events',
        description: 'Of all roles together, by events acknowledged in the same time.',
        unit: 's',
        width: 8,
        queries: [
          {
            promql: `1e6 * sum by (job) (rate(process_cpu_seconds_total{job=~"${ROLE_JOBS}"}[$__rate_interval])) / on () group_left () ${events}`,
            legend: '{{job}}',
          },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Received by day',
        description: 'Bytes of request bodies as sent.',
        unit: 'bytes',
        width: 8,
        stacked: true,
        queries: [{ promql: 'sum by (door) (increase(helios_ingest_bytes_received_total[1d]))', legend: '{{door}}' }],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Memory in use',
        description: 'Resident, by role: what the machines have to have.',
        unit: 'bytes',
        width: 8,
        stacked: true,
        queries: [{ promql: `sum by (job) (process_resident_memory_bytes{job=~"${ROLE_JOBS}"})`, legend: '{{job}}' }],
      }),
    );
}

/** The plan's third dashboard: what reports, storage and processing cost. */
export function costTracking(): DashboardBuilder {
  const board = dashboard(
    'helios-cost-tracking',
    'HELIOS: Cost Tracking',
    'Reports, language models, storage and the work of processors: what HELIOS costs to run.',
  );
  const price = new TextBoxVariableBuilder('usd_per_gib_month').label('USD for a GiB and month').defaultValue('0.08');
  board.withVariable(price);
  addReports(board);
  addCalls(board);
  addStorage(board);
  addWork(board);
  return board.time({ from: 'now-30d', to: 'now' });
}
