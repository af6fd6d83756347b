import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { addKafka } from './kafka-panels.ts';
import { dashboard, stat, timeSeries } from './panels.ts';
import { ROLE_JOBS, SERVER_ERRORS, WINDOW, quantile } from './selectors.ts';

const INGEST_ERRORS = `sum(rate(helios_ingest_requests_total{code=~"${SERVER_ERRORS}"}${WINDOW}))`;

function addNow(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Now'))
    .withPanel(
      stat({
        title: 'Processes up',
        description: 'Of all roles. A scaled role counts once a replica.',
        unit: 'short',
        width: 4,
        queries: [{ promql: `sum(up{job=~"${ROLE_JOBS}"})` }],
      }),
    )
    .withPanel(
      stat({
        title: 'Events a second',
        description: 'Acknowledged as durable, all doors together.',
        unit: 'short',
        width: 5,
        queries: [{ promql: `sum(rate(helios_ingest_events_accepted_total${WINDOW}))` }],
      }),
    )
    .withPanel(
      stat({
        title: 'Ingest latency, p99',
        description: 'From a request to its answer, all doors together.',
        unit: 's',
        width: 5,
        queries: [{ promql: quantile(0.99, 'helios_ingest_request_seconds') }],
      }),
    )
    .withPanel(
      stat({
        title: 'Ingest errors',
        description: 'Share of requests answered 5xx. Refusals that are the fault of the sender do not count.',
        unit: 'percentunit',
        width: 5,
        queries: [{ promql: `(${INGEST_ERRORS} or vector(0)) / sum(rate(helios_ingest_requests_total${WINDOW}))` }],
      }),
    )
    .withPanel(
      stat({
        title: 'Open incidents',
        description: 'Not yet resolved.',
        unit: 'short',
        width: 5,
        queries: [
          { sql: `SELECT count(*) AS incidents FROM documents WHERE kind = 'incident' AND is_newest AND status <> 'resolved'` },
        ],
      }),
    );
}

function addThroughput(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Throughput'))
    .withPanel(
      timeSeries({
        title: 'Event throughput',
        description: 'Acknowledged by the doors, and committed to the store. The two agree but for what waits in the log.',
        unit: 'eps',
        width: 12,
        queries: [
          { promql: `sum by (door) (rate(helios_ingest_events_accepted_total${WINDOW}))`, legend: 'accepted, {{door}}' },
          { promql: `sum(rate(helios_store_committed_events_total${WINDOW}))`, legend: 'stored' },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Metric points',
        description: 'Points of received metric series: acknowledged, and committed to the store.',
        unit: 'cps',
        width: 6,
        queries: [
          { promql: `sum by (door) (rate(helios_ingest_points_accepted_total${WINDOW}))`, legend: 'accepted, {{door}}' },
          { promql: `sum(rate(helios_metric_store_points_total${WINDOW}))`, legend: 'stored' },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Received bytes',
        description: 'Bodies of requests as sent, by door.',
        unit: 'Bps',
        width: 6,
        queries: [{ promql: `sum by (door) (rate(helios_ingest_bytes_received_total${WINDOW}))`, legend: '{{door}}' }],
      }),
    );
}

function addLatency(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Latency'))
    .withPanel(
      timeSeries({
        title: 'Ingest latency',
        description: 'From a request to its answer: P50, P95 and P99 over all doors and replicas.',
        unit: 's',
        width: 12,
        queries: [
          { promql: quantile(0.5, 'helios_ingest_request_seconds'), legend: 'P50' },
          { promql: quantile(0.95, 'helios_ingest_request_seconds'), legend: 'P95' },
          { promql: quantile(0.99, 'helios_ingest_request_seconds'), legend: 'P99' },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Commits and reports, P99',
        description: 'Time of one commit of events and of metric points, and to build a report.',
        unit: 's',
        width: 6,
        queries: [
          { promql: quantile(0.99, 'helios_store_commit_seconds'), legend: 'commit, events' },
          { promql: quantile(0.99, 'helios_metric_store_commit_seconds'), legend: 'commit, metric points' },
          { promql: quantile(0.99, 'helios_report_seconds'), legend: 'report' },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'API latency, P95',
        description: 'Of queries and commands, by route.',
        unit: 's',
        width: 6,
        queries: [{ promql: quantile(0.95, 'helios_console_request_seconds', 'route'), legend: '{{route}}' }],
      }),
    );
}

function addErrors(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Errors'))
    .withPanel(
      timeSeries({
        title: 'Errors by service',
        description:
          'What each role could not do: requests answered 5xx by ingestion and console, commits that storage rolled back, attempts at a report that failed, statements that the database refused.',
        unit: 'cps',
        width: 12,
        queries: [
          { promql: INGEST_ERRORS, legend: 'ingestion' },
          { promql: `sum by (job) (rate(helios_store_commit_failures_total${WINDOW}))`, legend: '{{job}}, commits of events' },
          {
            promql: `sum by (job) (rate(helios_metric_store_commit_failures_total${WINDOW}))`,
            legend: '{{job}}, commits of points',
          },
          { promql: `sum(rate(helios_report_failures_total${WINDOW}))`, legend: 'reporting' },
          { promql: `sum(rate(helios_console_requests_total{status=~"5.."}${WINDOW}))`, legend: 'console' },
          { promql: `sum by (job) (rate(helios_database_errors_total${WINDOW}))`, legend: '{{job}}, database' },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Requests by answer',
        description: 'Of the doors, but for those that succeeded: docs/errors.md says what each code means.',
        unit: 'cps',
        width: 6,
        stacked: true,
        queries: [{ promql: `sum by (code) (rate(helios_ingest_requests_total{code!="ok"}${WINDOW}))`, legend: '{{code}}' }],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Rejected events',
        description: 'Events that a rule refused, by the field at fault. The sender was told.',
        unit: 'eps',
        width: 6,
        stacked: true,
        queries: [{ promql: `sum by (field) (rate(helios_ingest_events_rejected_total${WINDOW}))`, legend: '{{field}}' }],
      }),
    );
}

function addProcesses(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Processes and database'))
    .withPanel(
      timeSeries({
        title: 'Processor',
        description: 'Cores in use by role.',
        unit: 'short',
        width: 6,
        queries: [{ promql: `sum by (job) (rate(process_cpu_seconds_total{job=~"${ROLE_JOBS}"}${WINDOW}))`, legend: '{{job}}' }],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Memory',
        description: 'Resident, by process.',
        unit: 'bytes',
        width: 6,
        queries: [{ promql: `process_resident_memory_bytes{job=~"${ROLE_JOBS}"}`, legend: '{{job}} {{instance}}' }],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Event loop lag, p99',
        description:
          'How long a callback waits for its turn. Above 100 ms a process needs help: another replica, or fewer queries.',
        unit: 's',
        width: 6,
        queries: [{ promql: `nodejs_eventloop_lag_p99_seconds{job=~"${ROLE_JOBS}"}`, legend: '{{job}} {{instance}}' }],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Database connections',
        description: 'Of the pools, by role: lent, idle, and callers that wait for one.',
        unit: 'short',
        width: 6,
        queries: [{ promql: 'sum by (job, state) (helios_database_connections)', legend: '{{job}}, {{state}}' }],
      }),
    );
}

/** The plan's first dashboard: throughput, ingest latency, errors by service, Kafka's lag. */
export function systemHealth(): DashboardBuilder {
  const board = dashboard(
    'helios-system-health',
    'HELIOS: System Health',
    'Throughput, ingest latency, errors by service and Kafka lag of all roles.',
  );
  addNow(board);
  addThroughput(board);
  addLatency(board);
  addErrors(board);
  addKafka(board);
  addProcesses(board);
  return board;
}
