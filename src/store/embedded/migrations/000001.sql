-- One row: where the log was read to, and a number that grows with every commit.
CREATE TABLE progress (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  next_offset INTEGER NOT NULL,
  commits INTEGER NOT NULL
) STRICT;
INSERT INTO progress VALUES (1, 0, 0);

CREATE TABLE checkpoint (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  next_offset INTEGER NOT NULL,
  payload BLOB NOT NULL
) STRICT;

CREATE TABLE entity (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  first_seen_ms REAL NOT NULL,
  last_seen_ms REAL NOT NULL
) STRICT;

CREATE TABLE endpoint (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

-- Key: (minutes since the epoch << 20) | entity, so that what is written together lies together and retention is a range.
CREATE TABLE minute_rollup (
  key INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;

-- Key: (hours since the epoch << 20) | entity. Valid only while the same key is not in open_hour.
CREATE TABLE hour_rollup (
  key INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE open_hour (
  key INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE template (
  id INTEGER PRIMARY KEY,
  entity TEXT NOT NULL,
  hash TEXT NOT NULL,
  template TEXT NOT NULL,
  example TEXT NOT NULL,
  first_seen_ms REAL NOT NULL,
  last_seen_ms REAL NOT NULL,
  UNIQUE (entity, hash)
) STRICT;

CREATE TABLE template_count (
  minute_ms INTEGER NOT NULL,
  template INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (minute_ms, template)
) STRICT, WITHOUT ROWID;

-- Version is 1 but for reports; is_newest marks the newest version of a key.
CREATE TABLE document (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  is_newest INTEGER NOT NULL,
  time_ms REAL NOT NULL,
  status TEXT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (kind, key, version)
) STRICT;
CREATE INDEX document_by_time ON document (kind, is_newest, time_ms DESC, key DESC);

-- Every name by which a document's services may be asked for: entity id and bare service name.
CREATE TABLE document_service (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (kind, key, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE model (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  service TEXT NOT NULL,
  active INTEGER NOT NULL,
  trained_at_ms REAL NOT NULL,
  record TEXT NOT NULL,
  payload BLOB NOT NULL
) STRICT;
CREATE INDEX model_by_service ON model (service, active);
