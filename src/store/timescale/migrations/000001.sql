-- Events as rows. A position is the record's offset in its partition times 2^20 plus the event's number in the record. An event
-- stands for `weight` events (sampling), whole as src/model/whole-weights.ts makes it. Fixed widths come first: no padding.
CREATE TABLE events (
  time timestamptz NOT NULL,
  log_position bigint NOT NULL,
  latency_ms double precision,
  log_partition smallint NOT NULL,
  kind smallint NOT NULL,
  level smallint NOT NULL,
  weight smallint NOT NULL DEFAULT 1,
  service text NOT NULL,
  environment text NOT NULL,
  namespace text NOT NULL,
  service_version text NOT NULL,
  message text NOT NULL,
  endpoint text,
  trace_id text,
  span_id text,
  parent_span_id text,
  metadata jsonb
);

-- Exactly once: how far each consumer group has stored each partition, and whose turn it is. A commit moves next_offset only
-- where next_offset and epoch are what the committer believes.
CREATE TABLE partition_progress (
  consumer_group text NOT NULL,
  topic text NOT NULL,
  log_partition integer NOT NULL,
  next_offset bigint NOT NULL DEFAULT 0,
  epoch bigint NOT NULL DEFAULT 0,
  owner text NOT NULL DEFAULT '',
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer_group, topic, log_partition)
);
CREATE TABLE checkpoints (
  consumer_group text NOT NULL,
  topic text NOT NULL,
  log_partition integer NOT NULL,
  next_offset bigint NOT NULL,
  payload bytea NOT NULL,
  PRIMARY KEY (consumer_group, topic, log_partition)
);
-- Requests with an Idempotency-Key by the commit that stored them: 18 bytes each, hash and chunk.
CREATE TABLE stored_requests (
  consumer_group text NOT NULL,
  topic text NOT NULL,
  log_partition integer NOT NULL,
  next_offset bigint NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT now(),
  hashes bytea NOT NULL,
  PRIMARY KEY (consumer_group, topic, log_partition, next_offset)
);

-- Rollups by the program (src/store/rollup): a stream is an entity's requests (its id) or its log records.
CREATE TABLE entities (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE
);
CREATE TABLE entity_times (
  entity integer NOT NULL,
  log_partition integer NOT NULL,
  first_seen_ms double precision NOT NULL,
  last_seen_ms double precision NOT NULL,
  last_request_ms double precision NOT NULL,
  PRIMARY KEY (entity, log_partition)
);
CREATE TABLE endpoints (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE
);
-- period: numbers of minutes, hours or days since the epoch.
CREATE TABLE minute_rollups (period bigint NOT NULL, stream bigint NOT NULL, log_partition integer NOT NULL, data bytea NOT NULL, PRIMARY KEY (period, stream, log_partition));
CREATE TABLE hour_rollups (period bigint NOT NULL, stream bigint NOT NULL, log_partition integer NOT NULL, data bytea NOT NULL, PRIMARY KEY (period, stream, log_partition));
CREATE TABLE day_rollups (period bigint NOT NULL, stream bigint NOT NULL, log_partition integer NOT NULL, data bytea NOT NULL, PRIMARY KEY (period, stream, log_partition));
-- Hours and days that changed since they were last summed up.
CREATE TABLE open_rollups (level smallint NOT NULL, period bigint NOT NULL, stream bigint NOT NULL, log_partition integer NOT NULL, PRIMARY KEY (level, period, stream, log_partition));

CREATE TABLE documents (
  kind text NOT NULL,
  key text NOT NULL,
  version integer NOT NULL,
  is_newest boolean NOT NULL,
  time_ms double precision NOT NULL,
  status text NOT NULL,
  body jsonb NOT NULL,
  PRIMARY KEY (kind, key, version)
);
CREATE INDEX documents_by_time ON documents (kind, time_ms DESC, key DESC) WHERE is_newest;
CREATE TABLE document_services (
  kind text NOT NULL,
  name text NOT NULL,
  key text NOT NULL,
  PRIMARY KEY (kind, name, key)
);
CREATE TABLE anomalies (
  time timestamptz NOT NULL,
  id text NOT NULL,
  service text NOT NULL,
  signal text NOT NULL,
  severity text NOT NULL,
  state text NOT NULL,
  stage text NOT NULL,
  score double precision NOT NULL,
  detected_at timestamptz NOT NULL,
  resolved_at timestamptz,
  incident_id text,
  PRIMARY KEY (time, id)
);

CREATE TABLE templates (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  entity text NOT NULL,
  hash text NOT NULL,
  template text NOT NULL,
  example text NOT NULL,
  first_seen_ms double precision NOT NULL,
  last_seen_ms double precision NOT NULL,
  UNIQUE (entity, hash)
);
CREATE TABLE template_counts (
  minute_ms double precision NOT NULL,
  template bigint NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (minute_ms, template)
);
CREATE TABLE models (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  service text NOT NULL,
  active boolean NOT NULL DEFAULT false,
  activated bigint NOT NULL DEFAULT 0,
  trained_at_ms double precision NOT NULL,
  record jsonb NOT NULL,
  payload bytea NOT NULL
);

-- Received metrics. An identity is a SHA-256 over all that tells series apart; last_seen_ms may be a minute behind.
CREATE TABLE metric_series (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  identity text NOT NULL UNIQUE,
  -- Whose writer removes it.
  log_partition integer NOT NULL,
  name text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  unit text NOT NULL,
  service text NOT NULL,
  environment text NOT NULL,
  namespace text NOT NULL,
  labels jsonb NOT NULL,
  first_seen_ms double precision NOT NULL,
  last_seen_ms double precision NOT NULL
);
CREATE INDEX metric_series_by_name ON metric_series (name, id);
CREATE TABLE metrics (
  time timestamptz NOT NULL,
  series bigint NOT NULL,
  value double precision NOT NULL,
  start_ms double precision,
  PRIMARY KEY (series, time)
);

-- The reporters' work: alerts wait until every detector is past them, the desk holds open incidents, all under one lock. An alert
-- stays for a while after it is settled, so that a repeat is recognised; time_ms and id together are its order.
CREATE TABLE pending_alerts (
  time_ms double precision NOT NULL,
  id text COLLATE "C" NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  settled_at timestamptz,
  message jsonb,
  PRIMARY KEY (time_ms, id)
);
CREATE INDEX pending_alerts_unsettled ON pending_alerts (time_ms) WHERE settled_at IS NULL;
CREATE INDEX pending_alerts_settled ON pending_alerts (settled_at) WHERE settled_at IS NOT NULL;
-- source: events or traces, whose partition it is.
CREATE TABLE detector_watermarks (
  source text NOT NULL,
  log_partition integer NOT NULL,
  watermark_ms double precision NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source, log_partition)
);
CREATE TABLE incident_desk (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  state bytea NOT NULL
);
-- news counts what happened to the incident, claims who took the job: a finish by another than the last one does not count.
CREATE TABLE report_jobs (
  incident_id text PRIMARY KEY,
  due_at timestamptz NOT NULL,
  news bigint NOT NULL DEFAULT 1,
  claims bigint NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  claimed_by text,
  claimed_until timestamptz
);
CREATE INDEX report_jobs_due ON report_jobs (due_at);
-- What the consoles announce, in order.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  event text NOT NULL,
  body jsonb NOT NULL
);
-- Decisions that wait to be produced to the control topic.
CREATE TABLE control_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key text NOT NULL,
  message jsonb NOT NULL
);
