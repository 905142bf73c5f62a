-- A literal array is one constant; that of IN (...) is made from its parts by each statement that writes a row.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE holds
    DROP CONSTRAINT hold_state_is_known,
    ADD CONSTRAINT hold_state_is_known CHECK (state = ANY
        ('{held,posted,voided,expired}')) NOT VALID;
