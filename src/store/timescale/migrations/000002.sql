-- The histogram of src/model/histogram.ts in SQL: 32 buckets an octave over the upper 14 bits of a float32, so that a bucket's middle is
-- within 1.6 % of every value in it. What is summed per bucket can be summed again, and any percentile be read off the sums. The
-- bounds keep the cast to real from overflow; what lies outside of them is in the first or last bucket anyway. Not STRICT: a function
-- that is STRICT and holds a CASE is not inlined.
CREATE FUNCTION helios_latency_bucket(latency_ms double precision) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN latency_ms IS NULL THEN NULL
    WHEN latency_ms < 0.0009765625 THEN 0
    WHEN latency_ms >= 1073741760 THEN 1279
    ELSE (get_byte(float4send(latency_ms::real), 0) << 6) + (get_byte(float4send(latency_ms::real), 1) >> 2) - 3744
  END
$$;

-- The value that stands for a bucket: its middle; 0 for the first.
CREATE FUNCTION helios_bucket_value(bucket integer) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN bucket IS NULL THEN NULL
    WHEN bucket <= 0 THEN 0
    ELSE power(2::double precision, ((bucket + 3744) >> 5) - 127) * (1 + (((bucket + 3744) & 31) + 0.5) / 32::double precision)
  END
$$;
