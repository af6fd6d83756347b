-- Hypertables. Chunk intervals, compression, retention and refreshing follow the configuration (policies.ts) at every start.
-- One index on events: what else was tried costs a third to two thirds of the rows a second.
SELECT create_hypertable('events', by_range('time', INTERVAL '1 day'), create_default_indexes => false);
CREATE INDEX events_by_time ON events (time DESC);
SELECT create_hypertable('metrics', by_range('time', INTERVAL '1 day'), create_default_indexes => false);
SELECT create_hypertable('anomalies', by_range('time', INTERVAL '7 days'), create_default_indexes => false);
ALTER TABLE events SET (
  timescaledb.compress,
  timescaledb.compress_segmentby = 'service',
  timescaledb.compress_orderby = 'time DESC, log_position DESC'
);
ALTER TABLE metrics SET (
  timescaledb.compress,
  timescaledb.compress_segmentby = 'series',
  timescaledb.compress_orderby = 'time DESC'
);

-- Requests and log records of a service are never one sum (kind 1 is log), spans inside a request count for nothing (kind 3).
-- What is not yet materialised is computed when it is read.
CREATE MATERIALIZED VIEW event_metrics_1m WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket(INTERVAL '1 minute', time) AS bucket, service, environment, namespace, kind = 1 AS is_log,
  coalesce(sum(weight), 0)::bigint AS event_count,
  coalesce(sum(weight) FILTER (WHERE level >= 4), 0)::bigint AS error_count,
  coalesce(sum(weight) FILTER (WHERE latency_ms IS NOT NULL), 0)::bigint AS latency_count,
  sum(latency_ms * weight) AS latency_sum,
  sum(latency_ms * latency_ms * weight) AS latency_square_sum,
  min(latency_ms) AS latency_min,
  max(latency_ms) AS latency_max
FROM events WHERE kind <> 3
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;
CREATE MATERIALIZED VIEW event_metrics_5m WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket(INTERVAL '5 minutes', bucket) AS bucket, service, environment, namespace, is_log,
  sum(event_count)::bigint AS event_count,
  sum(error_count)::bigint AS error_count,
  sum(latency_count)::bigint AS latency_count,
  sum(latency_sum) AS latency_sum,
  sum(latency_square_sum) AS latency_square_sum,
  min(latency_min) AS latency_min,
  max(latency_max) AS latency_max
FROM event_metrics_1m
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;
CREATE MATERIALIZED VIEW event_metrics_1h WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket(INTERVAL '1 hour', bucket) AS bucket, service, environment, namespace, is_log,
  sum(event_count)::bigint AS event_count,
  sum(error_count)::bigint AS error_count,
  sum(latency_count)::bigint AS latency_count,
  sum(latency_sum) AS latency_sum,
  sum(latency_square_sum) AS latency_square_sum,
  min(latency_min) AS latency_min,
  max(latency_max) AS latency_max
FROM event_metrics_5m
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;

-- Latency histograms: what is counted by bucket can be added up over any range, and the percentile of the sum is right.
CREATE MATERIALIZED VIEW event_latency_1m WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket(INTERVAL '1 minute', time) AS bucket, service, environment, namespace, kind = 1 AS is_log,
  helios_latency_bucket(latency_ms) AS latency_bucket,
  sum(weight)::bigint AS latency_count
FROM events WHERE kind <> 3 AND latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;
CREATE MATERIALIZED VIEW event_latency_5m WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket(INTERVAL '5 minutes', bucket) AS bucket, service, environment, namespace, is_log, latency_bucket,
  sum(latency_count)::bigint AS latency_count
FROM event_latency_1m
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;
CREATE MATERIALIZED VIEW event_latency_1h WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket(INTERVAL '1 hour', bucket) AS bucket, service, environment, namespace, is_log, latency_bucket,
  sum(latency_count)::bigint AS latency_count
FROM event_latency_5m
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

ALTER MATERIALIZED VIEW event_metrics_1m SET (timescaledb.compress, timescaledb.compress_segmentby = 'service', timescaledb.compress_orderby = 'bucket DESC');
ALTER MATERIALIZED VIEW event_metrics_5m SET (timescaledb.compress, timescaledb.compress_segmentby = 'service', timescaledb.compress_orderby = 'bucket DESC');
ALTER MATERIALIZED VIEW event_metrics_1h SET (timescaledb.compress, timescaledb.compress_segmentby = 'service', timescaledb.compress_orderby = 'bucket DESC');
ALTER MATERIALIZED VIEW event_latency_1m SET (timescaledb.compress, timescaledb.compress_segmentby = 'service', timescaledb.compress_orderby = 'bucket DESC, latency_bucket');
ALTER MATERIALIZED VIEW event_latency_5m SET (timescaledb.compress, timescaledb.compress_segmentby = 'service', timescaledb.compress_orderby = 'bucket DESC, latency_bucket');
ALTER MATERIALIZED VIEW event_latency_1h SET (timescaledb.compress, timescaledb.compress_segmentby = 'service', timescaledb.compress_orderby = 'bucket DESC, latency_bucket');
