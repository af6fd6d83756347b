-- Words of the newest report of each incident. What is stored from now on has them split by the program; these are of reports before it.
ALTER TABLE documents ADD COLUMN words tsvector;
UPDATE documents
  SET words = array_to_tsvector(array_remove(regexp_split_to_array(left(lower(body->>'markdown'), 200000), '[^[:alnum:]]+'), ''))
  WHERE kind = 'report' AND is_newest;
-- Reports are few: each enters the index at once, instead of a list that every search would have to read.
CREATE INDEX documents_by_word ON documents USING gin (words) WITH (fastupdate = off) WHERE words IS NOT NULL;
CREATE INDEX reports_by_verdict ON documents ((body->>'verdict'), time_ms DESC, key DESC) WHERE kind = 'report' AND is_newest;
