-- Stampings of which no mail tells: whoever asked for many at once tells of all of them together.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE stampings ADD COLUMN is_quiet boolean NOT NULL DEFAULT false;
