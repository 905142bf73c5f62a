-- A line of a statement may name another account of ours, a provider, or the treasury.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE record_lines ADD COLUMN counterpart text;
