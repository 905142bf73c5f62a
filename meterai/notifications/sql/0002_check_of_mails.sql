-- A literal array is one constant; that of IN (...) is made from its parts by each statement that writes a row.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE mails
    DROP CONSTRAINT mail_state_is_known,
    ADD CONSTRAINT mail_state_is_known CHECK (state = ANY
        ('{queued,sent,given_up}')) NOT VALID;
