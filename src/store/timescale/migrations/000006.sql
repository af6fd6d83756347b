-- Small values under keys, compared by their bytes.
CREATE SEQUENCE record_revisions;
CREATE TABLE records (
  key text COLLATE "C" PRIMARY KEY,
  revision bigint NOT NULL DEFAULT nextval('record_revisions'),
  value jsonb NOT NULL
);
