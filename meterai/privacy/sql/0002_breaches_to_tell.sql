-- Breaches to tell are found among those that are open, by their index.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

DROP INDEX breaches_to_tell;
