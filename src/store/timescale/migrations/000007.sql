-- Words of the newest report of each incident. What is stored from now on has them split by the program; these are of reports before it.
ALTER TABLE documents ADD COLUMN words tsvector;
UPDATE documents
  SET words = array_to_tsvector(array_remove(regexp_split_to_array(left(lower(body->>'markdown'), 200000), '[^[:alnum:]]+'), ''))
  WHERE kind = 'report' AND is_newest;
CREATE INDEX documents_by_word ON documents USING gin (words) WHERE words IS NOT NULL;
