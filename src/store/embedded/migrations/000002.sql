-- Newest request of an entity: one with requests is judged by them, any other by its log records.
ALTER TABLE entity ADD COLUMN last_request_ms REAL NOT NULL DEFAULT -1e15;
UPDATE entity SET last_request_ms = last_seen_ms;
