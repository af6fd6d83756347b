-- Without the extension: ordinary tables, and views of the names that the continuous aggregates have. They are computed when they are
-- read: the program itself reads its own rollups, so that these serve dashboards and people, over ranges of hours.
CREATE INDEX events_by_time ON events (time DESC);
-- For retention alone: a few pages.
CREATE INDEX metrics_by_time ON metrics USING brin (time);

-- Requests and log records of a service are never one sum (kind 1 is log), spans inside a request count for nothing (kind 3).
CREATE VIEW event_metrics_1m AS
SELECT date_bin(INTERVAL '1 minute', time, TIMESTAMPTZ 'epoch') AS bucket, service, environment, namespace, kind = 1 AS is_log,
  coalesce(sum(weight), 0)::bigint AS event_count,
  coalesce(sum(weight) FILTER (WHERE level >= 4), 0)::bigint AS error_count,
  coalesce(sum(weight) FILTER (WHERE latency_ms IS NOT NULL), 0)::bigint AS latency_count,
  sum(latency_ms * weight) AS latency_sum,
  sum(latency_ms * latency_ms * weight) AS latency_square_sum,
  min(latency_ms) AS latency_min,
  max(latency_ms) AS latency_max
FROM events WHERE kind <> 3
GROUP BY 1, 2, 3, 4, 5;
CREATE VIEW event_metrics_5m AS
SELECT date_bin(INTERVAL '5 minutes', time, TIMESTAMPTZ 'epoch') AS bucket, service, environment, namespace, kind = 1 AS is_log,
  coalesce(sum(weight), 0)::bigint AS event_count,
  coalesce(sum(weight) FILTER (WHERE level >= 4), 0)::bigint AS error_count,
  coalesce(sum(weight) FILTER (WHERE latency_ms IS NOT NULL), 0)::bigint AS latency_count,
  sum(latency_ms * weight) AS latency_sum,
  sum(latency_ms * latency_ms * weight) AS latency_square_sum,
  min(latency_ms) AS latency_min,
  max(latency_ms) AS latency_max
FROM events WHERE kind <> 3
GROUP BY 1, 2, 3, 4, 5;
CREATE VIEW event_metrics_1h AS
SELECT date_bin(INTERVAL '1 hour', time, TIMESTAMPTZ 'epoch') AS bucket, service, environment, namespace, kind = 1 AS is_log,
  coalesce(sum(weight), 0)::bigint AS event_count,
  coalesce(sum(weight) FILTER (WHERE level >= 4), 0)::bigint AS error_count,
  coalesce(sum(weight) FILTER (WHERE latency_ms IS NOT NULL), 0)::bigint AS latency_count,
  sum(latency_ms * weight) AS latency_sum,
  sum(latency_ms * latency_ms * weight) AS latency_square_sum,
  min(latency_ms) AS latency_min,
  max(latency_ms) AS latency_max
FROM events WHERE kind <> 3
GROUP BY 1, 2, 3, 4, 5;

-- Latency histograms: what is counted by bucket can be added up over any range, and the percentile of the sum is right.
CREATE VIEW event_latency_1m AS
SELECT date_bin(INTERVAL '1 minute', time, TIMESTAMPTZ 'epoch') AS bucket, service, environment, namespace, kind = 1 AS is_log,
  helios_latency_bucket(latency_ms) AS latency_bucket,
  sum(weight)::bigint AS latency_count
FROM events WHERE kind <> 3 AND latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6;
CREATE VIEW event_latency_5m AS
SELECT date_bin(INTERVAL '5 minutes', time, TIMESTAMPTZ 'epoch') AS bucket, service, environment, namespace, kind = 1 AS is_log,
  helios_latency_bucket(latency_ms) AS latency_bucket,
  sum(weight)::bigint AS latency_count
FROM events WHERE kind <> 3 AND latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6;
CREATE VIEW event_latency_1h AS
SELECT date_bin(INTERVAL '1 hour', time, TIMESTAMPTZ 'epoch') AS bucket, service, environment, namespace, kind = 1 AS is_log,
  helios_latency_bucket(latency_ms) AS latency_bucket,
  sum(weight)::bigint AS latency_count
FROM events WHERE kind <> 3 AND latency_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6;
