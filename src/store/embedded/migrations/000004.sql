-- Small values under keys. A write replaces the row, and so takes a revision that never was before.
CREATE TABLE record (
  revision INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  value TEXT NOT NULL
);
