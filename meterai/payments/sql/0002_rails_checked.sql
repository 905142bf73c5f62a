-- The checks of 0001 hold for every row of before.  Read in a transaction of its own, which keeps
-- nobody from writing.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '10min';

ALTER TABLE payment_attempts VALIDATE CONSTRAINT waiting_attempt_has_instructions;
ALTER TABLE payment_attempts VALIDATE CONSTRAINT instructions_have_their_time;
