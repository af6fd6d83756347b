-- Percentiles for dashboards, read off the sums of histograms: nearest rank, within 1.6 %. `p` is 0 to 1, ranges are widened to whole
-- minutes, five minutes or hours, whichever the width asks for. A null service, environment or namespace means all of them.

-- The view that is coarse enough for steps of this width.
CREATE FUNCTION helios_latency_view(step interval) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN extract(epoch FROM step)::bigint % 3600 = 0 THEN 'event_latency_1h'
    WHEN extract(epoch FROM step)::bigint % 300 = 0 THEN 'event_latency_5m'
    ELSE 'event_latency_1m'
  END
$$;

-- One value a step, service, environment and namespace. Each one's counts are gathered before they are put in order: many small sorts.
CREATE FUNCTION event_percentiles(
  p double precision, step interval, from_time timestamptz, to_time timestamptz,
  only_service text DEFAULT NULL, only_environment text DEFAULT NULL, only_namespace text DEFAULT NULL, logs boolean DEFAULT false
) RETURNS TABLE (bucket timestamptz, service text, environment text, namespace text, latency_count bigint, latency_ms double precision)
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  width interval := greatest(step, INTERVAL '1 minute');
BEGIN
  RETURN QUERY EXECUTE format($query$
    WITH cells AS (
      SELECT date_bin($2, l.bucket, TIMESTAMPTZ 'epoch') AS at, l.service, l.environment, l.namespace,
        array_agg(l.latency_bucket) AS buckets, array_agg(l.latency_count) AS counts, sum(l.latency_count)::double precision AS total
      FROM %I l
      WHERE l.bucket >= date_bin($2, $3, TIMESTAMPTZ 'epoch') AND l.bucket < $4 AND l.is_log = $8
        AND ($5 IS NULL OR l.service = $5) AND ($6 IS NULL OR l.environment = $6) AND ($7 IS NULL OR l.namespace = $7)
      GROUP BY 1, 2, 3, 4
    )
    SELECT c.at, c.service, c.environment, c.namespace, c.total::bigint, (
      SELECT helios_bucket_value(min(r.latency_bucket))
      FROM (
        SELECT u.latency_bucket, sum(u.n::double precision) OVER (ORDER BY u.latency_bucket) AS up_to
        FROM unnest(c.buckets, c.counts) AS u (latency_bucket, n)
      ) r
      WHERE r.up_to >= greatest(1, ceil($1 * c.total))
    )
    FROM cells c
    ORDER BY 1, 2, 3, 4
  $query$, helios_latency_view(width))
  USING p, width, from_time, to_time, only_service, only_environment, only_namespace, logs;
END
$$;

-- One value for the whole range, of all that is asked for together; null without latencies.
CREATE FUNCTION event_percentile(
  p double precision, from_time timestamptz, to_time timestamptz,
  only_service text DEFAULT NULL, only_environment text DEFAULT NULL, only_namespace text DEFAULT NULL, logs boolean DEFAULT false
) RETURNS double precision
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  span interval := to_time - from_time;
  width interval := CASE
    WHEN span > INTERVAL '3 days' THEN INTERVAL '1 hour'
    WHEN span > INTERVAL '6 hours' THEN INTERVAL '5 minutes'
    ELSE INTERVAL '1 minute'
  END;
  value double precision;
BEGIN
  EXECUTE format($query$
    WITH cells AS (
      SELECT l.latency_bucket, sum(l.latency_count)::double precision AS n
      FROM %I l
      WHERE l.bucket >= date_bin($2, $3, TIMESTAMPTZ 'epoch') AND l.bucket < $4 AND l.is_log = $8
        AND ($5 IS NULL OR l.service = $5) AND ($6 IS NULL OR l.environment = $6) AND ($7 IS NULL OR l.namespace = $7)
      GROUP BY 1
    ), running AS (
      SELECT latency_bucket, sum(n) OVER (ORDER BY latency_bucket) AS up_to, sum(n) OVER () AS total FROM cells
    )
    SELECT helios_bucket_value(min(latency_bucket)) FROM running WHERE up_to >= greatest(1, ceil($1 * total))
  $query$, helios_latency_view(width))
  INTO value
  USING p, width, from_time, to_time, only_service, only_environment, only_namespace, logs;
  RETURN value;
END
$$;
