import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { DashboardBuilder, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { bars, dashboard, stat, table, timeSeries } from './panels.ts';

const IN_RANGE = 'time_ms >= $__unixEpochFrom() * 1000.0 AND time_ms < $__unixEpochTo() * 1000.0';

/**
 * What people said of incidents of the range and did not take back, and faults that they said were missed (docs/feedback.md). A wrong cause is
 * a fault; a new normal was seen rightly and broke nothing, and is in neither.
 */
const SAID = `WITH said AS (
  SELECT started, label, incident_id,
    label IN ('real', 'wrong_cause') AS is_real,
    label IN ('false_alarm', 'expected') AS is_false,
    label = 'missed' AS is_missed
  FROM incident_feedback WHERE $__timeFilter(started)
)`;
const REAL = 'count(*) FILTER (WHERE is_real)';
const FALSE = 'count(*) FILTER (WHERE is_false)';
const MISSED = 'count(*) FILTER (WHERE is_missed)';
const PRECISION = `${REAL}::float8 / nullif(${REAL} + ${FALSE}, 0)`;
const RECALL = `${REAL}::float8 / nullif(${REAL} + ${MISSED}, 0)`;

function addNow(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Now'))
    .withPanel(
      stat({
        title: 'Services watched',
        description: 'By all detectors.',
        unit: 'short',
        width: 4,
        queries: [{ promql: 'sum(helios_detect_entities)' }],
      }),
    )
    .withPanel(
      stat({
        title: 'Firing anomalies',
        description: 'Of them quiet are those that happen often, are no worse than usual, and opened no incident.',
        unit: 'short',
        width: 6,
        queries: [
          { promql: 'sum(helios_detect_open_anomalies)', legend: 'firing' },
          { promql: 'sum(helios_detect_quiet_anomalies)', legend: 'quiet' },
        ],
      }),
    )
    .withPanel(
      stat({
        title: 'Precision',
        description: 'Of the incidents in the range that people have judged, the share that was worth waking up for.',
        unit: 'percentunit',
        width: 5,
        queries: [{ sql: `${SAID}\nSELECT ${PRECISION} AS precision FROM said` }],
      }),
    )
    .withPanel(
      stat({
        title: 'False alarms by service and day',
        description:
          'Incidents in the range that people called false alarms or expected, by watched service and day. The measure that a budget for false alarms is set in.',
        unit: 'short',
        width: 5,
        queries: [
          {
            sql: `${SAID}
SELECT ${FALSE}::float8
  / nullif((SELECT count(*) FROM entities) * ($__unixEpochTo() - $__unixEpochFrom()) / 86400.0, 0) AS rate
FROM said`,
          },
        ],
      }),
    )
    .withPanel(
      stat({
        title: 'Detectors behind',
        description: 'Age of the newest event time that every detector is past.',
        unit: 's',
        width: 4,
        queries: [{ promql: 'time() - min(helios_detect_watermark_seconds > 0)' }],
      }),
    );
}

function addAnomalies(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Anomalies'))
    .withPanel(
      timeSeries({
        title: 'Anomalies detected',
        description:
          'By when they began and what deviated. Counted from the store, so that replays and restarts count nothing twice.',
        unit: 'short',
        width: 12,
        stacked: true,
        queries: [
          {
            sql: `SELECT $__timeGroupAlias(time, $__interval), signal AS metric, count(*) AS anomalies
FROM anomalies WHERE $__timeFilter(time) GROUP BY 1, 2 ORDER BY 1`,
          },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Firing rate by severity',
        description: 'As the detectors count it, by hour.',
        unit: 'short',
        width: 6,
        stacked: true,
        queries: [{ promql: 'sum by (severity) (increase(helios_detect_anomalies_total[1h]))', legend: '{{severity}}' }],
      }),
    )
    .withPanel(
      table({
        title: 'Services with the most anomalies',
        description: 'In the range, with how long detection took after the first deviating window began.',
        unit: 'short',
        width: 6,
        queries: [
          {
            sql: `SELECT service, count(*) AS anomalies, count(*) FILTER (WHERE severity IN ('high', 'critical')) AS severe,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM detected_at - time)) AS "median seconds to detect"
FROM anomalies WHERE $__timeFilter(time) GROUP BY service ORDER BY anomalies DESC LIMIT 20`,
          },
        ],
      }),
    );
}

function addFeedback(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Judged by people'))
    .withPanel(
      timeSeries({
        title: 'Precision, recall and false-positive rate',
        description:
          'By day, by what people said of incidents, and of faults that none told of. Judged is the share of incidents that somebody has judged; the others count in neither.',
        unit: 'percentunit',
        width: 10,
        max: 1,
        queries: [
          {
            sql: `${SAID}, opened AS (
  SELECT date_trunc('day', to_timestamp(time_ms / 1000)) AS day, count(*) AS incidents
  FROM documents WHERE kind = 'incident' AND is_newest AND ${IN_RANGE} GROUP BY 1
), by_day AS (
  SELECT date_trunc('day', started) AS day, count(incident_id) AS judged, ${PRECISION} AS "precision", ${RECALL} AS recall FROM said GROUP BY 1
)
SELECT day AS time, "precision", recall, 1 - "precision" AS "false positives", least(1, judged::float8 / incidents) AS judged
FROM by_day LEFT JOIN opened USING (day) ORDER BY 1`,
          },
        ],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Incidents',
        description: 'By day and what became of them.',
        unit: 'short',
        width: 5,
        stacked: true,
        queries: [
          {
            sql: `SELECT date_trunc('day', to_timestamp(time_ms / 1000)) AS time, status AS metric, count(*) AS incidents
FROM documents WHERE kind = 'incident' AND is_newest AND ${IN_RANGE} GROUP BY 1, 2 ORDER BY 1`,
          },
        ],
      }),
    );
}

function addLabels(board: DashboardBuilder): void {
  board
    .withPanel(
      stat({
        title: 'Recall',
        description: 'Of the faults that people told of in the range, the share that HELIOS had an incident of.',
        unit: 'percentunit',
        width: 3,
        queries: [{ sql: `${SAID}\nSELECT ${RECALL} AS recall FROM said` }],
      }),
    )
    .withPanel(
      table({
        title: 'What people said',
        description: 'Of the range, by label; missed are faults that no incident told of.',
        unit: 'short',
        width: 3,
        queries: [{ sql: `${SAID}\nSELECT label, count(*) AS said FROM said GROUP BY 1 ORDER BY 2 DESC` }],
      }),
    )
    .withPanel(
      table({
        title: 'Most false alarms',
        description: 'Services of incidents that people called false alarms or expected.',
        unit: 'short',
        width: 3,
        queries: [
          {
            sql: `${SAID}, services AS (
  SELECT jsonb_array_elements_text(f.services) AS service FROM incident_feedback f JOIN said USING (incident_id) WHERE is_false
)
SELECT service, count(*) AS "false alarms" FROM services GROUP BY 1 ORDER BY 2 DESC LIMIT 10`,
          },
        ],
      }),
    );
}

/** The spread of one feature over the services of the installation, by windows of five minutes. */
function distribution(title: string, description: string, unit: string, feature: string, from: string): Builder<Panel> {
  const at = (q: number): string => `percentile_cont(${q}) WITHIN GROUP (ORDER BY ${feature})`;
  const sql = `SELECT bucket AS time, ${at(0.1)} AS "P10", ${at(0.5)} AS "P50", ${at(0.9)} AS "P90", max(${feature}) AS "highest"
FROM ${from} GROUP BY 1 ORDER BY 1`;
  return timeSeries({ title, description, unit, width: 6, queries: [{ sql }] });
}

function addFeatures(board: DashboardBuilder): void {
  const windows = 'event_metrics_5m WHERE $__timeFilter(bucket) AND NOT is_log AND event_count > 0';
  const spread = 'Of requests by service and 5-minute window: a tenth of the services lies below P10, a tenth above P90.';
  board
    .withRow(new RowBuilder('Feature distributions'))
    .withPanel(distribution('Distribution of event_count', spread, 'short', 'event_count', windows))
    .withPanel(
      distribution('Distribution of error_rate', spread, 'percentunit', 'error_count::float8 / nullif(event_count, 0)', windows),
    )
    .withPanel(distribution('Distribution of avg_latency', spread, 'ms', 'latency_sum / nullif(latency_count, 0)', windows))
    .withPanel(
      distribution(
        'Distribution of p95_latency',
        spread,
        'ms',
        'latency_ms',
        `event_percentiles(0.95, '5 minutes', $__timeFrom()::timestamptz, $__timeTo()::timestamptz)`,
      ),
    );
}

function addModels(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Scores and models'))
    .withPanel(
      bars({
        title: 'Scores of anomalies',
        description: 'How many anomalies of the range scored how high; 1 is the worst.',
        unit: 'short',
        width: 8,
        queries: [
          {
            sql: `SELECT to_char((width_bucket(score, 0, 1.0000001, 20) - 1) / 20.0, 'FM0.00') AS score, count(*) AS anomalies
FROM anomalies WHERE $__timeFilter(time) GROUP BY 1 ORDER BY 1`,
          },
        ],
      }),
    )
    .withPanel(
      bars({
        title: 'Which stage spoke',
        description: 'Warming up: robust statistics only. Baseline: a period has been seen. Trained: the forest has a voice.',
        unit: 'short',
        width: 4,
        queries: [{ sql: 'SELECT stage, count(*) AS anomalies FROM anomalies WHERE $__timeFilter(time) GROUP BY 1 ORDER BY 1' }],
      }),
    )
    .withPanel(
      timeSeries({
        title: 'Forests trained',
        description: 'By day.',
        unit: 'short',
        width: 4,
        queries: [{ promql: 'sum(increase(helios_detect_trained_models_total[1d]))', legend: 'trained' }],
      }),
    )
    .withPanel(
      table({
        title: 'Active models',
        description: 'How each scores its own training windows; lower is worse.',
        unit: 'short',
        width: 8,
        queries: [
          {
            sql: `SELECT service, 'v' || number AS version, to_timestamp(trained_at_ms / 1000) AS trained,
  (record -> 'metrics' ->> 'trainingWindows')::float8 AS windows, (record -> 'metrics' ->> 'scoreMedian')::float8 AS "median score",
  (record -> 'metrics' ->> 'flaggedShare')::float8 AS "flagged share"
FROM models WHERE active ORDER BY service LIMIT 100`,
          },
        ],
      }),
    );
}

/** The plan's second dashboard: anomalies over time, precision, feature distributions, false positives. */
export function mlPerformance(): DashboardBuilder {
  const board = dashboard(
    'helios-ml-performance',
    'HELIOS: ML Performance',
    'Anomalies over time, precision and false positives by the judgement of people, distributions of features and scores.',
  );
  addNow(board);
  addAnomalies(board);
  addFeedback(board);
  addLabels(board);
  addFeatures(board);
  addModels(board);
  return board.time({ from: 'now-7d', to: 'now' });
}
