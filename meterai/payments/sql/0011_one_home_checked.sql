-- The checks of 0009 and 0010 hold for every row of before.  Read in a transaction of its own, which keeps
-- nobody from writing.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '10min';

ALTER TABLE payment_attempts VALIDATE CONSTRAINT waiting_attempt_has_instructions;
ALTER TABLE captures VALIDATE CONSTRAINT capture_is_learned_by;
