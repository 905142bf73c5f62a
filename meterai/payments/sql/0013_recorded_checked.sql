-- The check of 0012 holds for every row of before.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '10min';

ALTER TABLE captures VALIDATE CONSTRAINT capture_is_learned_by;
