-- A literal array is one constant; that of IN (...) is made from its parts by each statement that writes a row.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE stampings
    DROP CONSTRAINT stamping_state_is_known,
    ADD CONSTRAINT stamping_state_is_known CHECK (state = ANY
        ('{waiting,reserved,delivered,failed,dropped}')) NOT VALID;
