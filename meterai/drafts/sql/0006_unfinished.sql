-- When the last part came: a file that nobody goes on sending takes no room for a day.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE draft_files
    ADD COLUMN last_part_at timestamptz NOT NULL DEFAULT now();  -- before the first one: when it began

CREATE INDEX draft_files_unfinished ON draft_files (last_part_at) WHERE state = 'receiving';
DROP INDEX draft_files_empty;
