-- The check of 0002 holds for every row of before.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '10min';

ALTER TABLE mails VALIDATE CONSTRAINT mail_state_is_known;
