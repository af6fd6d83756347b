import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { timeSeries } from './panels.ts';
import { WINDOW, quantile } from './selectors.ts';

function addLag(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Kafka'))
    .withPanel(
      timeSeries({
        title: 'Kafka lag',
        description: 'Records that each group has not committed yet, all partitions together. A record holds many events.',
        unit: 'short',
        width: 8,
        queries: [{ promql: 'sum by (group, topic) (helios_kafka_lag_records)', legend: '{{group}}, {{topic}}' }],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Kafka lag in time',
        description: 'How long each role needs for what waits, at the rate at which it has read lately.',
        unit: 's',
        width: 8,
        queries: [
          {
            promql: `sum by (job, topic) (helios_kafka_lag_records) / sum by (job, topic) (rate(helios_kafka_consumed_records_total${WINDOW}))`,
            legend: '{{job}}, {{topic}}',
          },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Largest lag of one partition',
        description:
          'Far above the others: one service sends much more than the rest, or the work on that partition stands still.',
        unit: 'short',
        width: 8,
        queries: [{ promql: 'max by (group, topic) (helios_kafka_lag_records)', legend: '{{group}}, {{topic}}' }],
      }),
    );
}

function addTraffic(board: DashboardBuilder): void {
  board
    .withPanel(
      timeSeries({
        title: 'Produce time, P99',
        description: 'From sending a batch until the broker has acknowledged it.',
        unit: 's',
        width: 6,
        queries: [{ promql: quantile(0.99, 'helios_kafka_produce_seconds', 'topic'), legend: '{{topic}}' }],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Kafka errors',
        description: 'Tries to produce and to fetch that failed and were repeated, and work on partitions that was begun again.',
        unit: 'cps',
        width: 6,
        queries: [
          {
            promql: `sum by (topic, reason) (rate(helios_kafka_produce_retries_total${WINDOW}))`,
            legend: 'produce {{topic}}, {{reason}}',
          },
          {
            promql: `sum by (job, reason) (rate(helios_kafka_fetch_errors_total${WINDOW}))`,
            legend: 'fetch, {{job}}, {{reason}}',
          },
          {
            promql: `sum by (group, topic) (rate(helios_kafka_failed_work_total${WINDOW}))`,
            legend: 'work, {{group}}, {{topic}}',
          },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Partitions held',
        description: 'By process. They add up to the partitions of what a group reads; steps are rebalances.',
        unit: 'short',
        width: 6,
        stacked: true,
        queries: [{ promql: 'helios_kafka_assigned_partitions', legend: '{{group}}, {{instance}}' }],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Dead letters and losses',
        description:
          'Since each process started: records that could not be read, events that the database refused (both are kept as dead letters), and records that retention removed before they were read.',
        unit: 'short',
        width: 6,
        queries: [
          { promql: 'sum by (topic) (helios_kafka_unreadable_records_total)', legend: 'unreadable, {{topic}}' },
          { promql: 'sum(helios_store_poison_rows_total)', legend: 'refused by the database' },
          { promql: 'sum by (topic) (helios_kafka_lost_records_total)', legend: 'lost, {{topic}}' },
        ],
      }),
    );
}

/** How far behind readers are, and how writing to Kafka and reading from it go. */
export function addKafka(board: DashboardBuilder): void {
  addLag(board);
  addTraffic(board);
}
