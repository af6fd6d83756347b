-- What people said of incidents and did not take back, one row an incident, and the faults that no incident told of (label "missed").
-- The records are those of src/model/feedback.ts.
CREATE VIEW incident_feedback AS
SELECT value ->> 'id' AS id, value ->> 'label' AS label, value ->> 'incidentId' AS incident_id, value -> 'services' AS services,
  (value ->> 'from')::timestamptz AS started, (value ->> 'at')::timestamptz AS said_at, value ->> 'by' AS said_by, value ->> 'cause' AS cause
FROM records
WHERE key >= 'feedback/' AND key < 'feedback0' AND value ? 'label' AND value -> 'takenBack' = 'null'::jsonb;
