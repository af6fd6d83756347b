-- Which log next_offset counts in: a topic that is deleted and made anew begins at 0 again. Empty before anyone has asked.
ALTER TABLE partition_progress ADD COLUMN log_id text NOT NULL DEFAULT '';
