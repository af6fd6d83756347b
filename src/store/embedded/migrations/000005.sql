-- Words of the newest report of each incident, under the row of the document. Of the text itself nothing is kept a second time.
CREATE VIRTUAL TABLE report_text USING fts5(
  words, content = '', contentless_delete = 1, detail = none, tokenize = "unicode61 remove_diacritics 0 categories 'L* N*'"
);
INSERT INTO report_text (rowid, words)
  SELECT id, json_extract(body, '$.markdown') FROM document WHERE kind = 'report' AND is_newest;

CREATE TRIGGER report_inserted AFTER INSERT ON document WHEN new.kind = 'report' AND new.is_newest BEGIN
  INSERT INTO report_text (rowid, words) VALUES (new.id, json_extract(new.body, '$.markdown'));
END;
CREATE TRIGGER report_deleted AFTER DELETE ON document WHEN old.kind = 'report' AND old.is_newest BEGIN
  DELETE FROM report_text WHERE rowid = old.id;
END;
CREATE TRIGGER report_updated AFTER UPDATE ON document WHEN new.kind = 'report' BEGIN
  DELETE FROM report_text WHERE rowid = new.id;
  INSERT INTO report_text (rowid, words) SELECT new.id, json_extract(new.body, '$.markdown') WHERE new.is_newest;
END;
