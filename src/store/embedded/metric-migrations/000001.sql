-- One row: where the metrics log was read to, a number that grows with every commit, and the next series id, which never is one of the past.
CREATE TABLE progress (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  next_offset INTEGER NOT NULL,
  commits INTEGER NOT NULL,
  next_series INTEGER NOT NULL
) STRICT;
INSERT INTO progress VALUES (1, 0, 0, 1);

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  unit TEXT NOT NULL,
  service TEXT NOT NULL,
  environment TEXT NOT NULL,
  namespace TEXT NOT NULL,
  labels TEXT NOT NULL
) STRICT;
CREATE INDEX series_by_name ON series (name, id);
CREATE INDEX series_by_service ON series (service, name, id);

-- Apart from `series`, whose rows never change. As of the last block: newer points are in tails.
CREATE TABLE series_seen (
  id INTEGER PRIMARY KEY,
  first_ms REAL NOT NULL,
  last_ms REAL NOT NULL
) STRICT;

-- What one commit brought, in the order in which it came, until all of it becomes a block. Ids ascend and are never used again.
CREATE TABLE tail (
  id INTEGER PRIMARY KEY,
  min_ms REAL NOT NULL,
  max_ms REAL NOT NULL,
  data BLOB NOT NULL
) STRICT;

-- Points of many series, of about one time; of two blocks that hold the same point the one with the larger id is right.
-- While merging_into is set, this block's chunks move into that one; a series is in one of both as long as it has no chunk in the other.
CREATE TABLE block (
  id INTEGER PRIMARY KEY,
  min_ms REAL NOT NULL,
  max_ms REAL NOT NULL,
  points INTEGER NOT NULL,
  chunks INTEGER NOT NULL,
  tier INTEGER NOT NULL,
  merging_into INTEGER
) STRICT;

-- Key: (block << 26) | series, so that what is written together lies together and a block is a range.
CREATE TABLE chunk (
  key INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;
