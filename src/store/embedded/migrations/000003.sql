-- Order of activation within all models, 0 for one that never was or was taken back: rolling back goes to the one before.
ALTER TABLE model ADD COLUMN activated INTEGER NOT NULL DEFAULT 0;
UPDATE model SET activated = number WHERE active = 1;
