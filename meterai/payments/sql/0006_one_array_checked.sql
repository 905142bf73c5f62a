-- The checks of 0005 hold for every row of before.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '10min';

ALTER TABLE payment_attempts VALIDATE CONSTRAINT attempt_state_is_known;
ALTER TABLE payment_attempts VALIDATE CONSTRAINT ask_rank_is_known;
