-- How often a file was examined: one that fails every time is refused, and keeps no other waiting.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE draft_files ADD COLUMN examinations integer NOT NULL DEFAULT 0;  -- begun, of which none ended
