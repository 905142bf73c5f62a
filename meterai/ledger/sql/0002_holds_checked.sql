-- The check of 0001 holds for every row of before.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '10min';

ALTER TABLE holds VALIDATE CONSTRAINT hold_state_is_known;
