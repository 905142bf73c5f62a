-- A literal array is one constant; that of IN (...) is made from its parts by each statement that writes a row.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE captures
    DROP CONSTRAINT capture_is_learned_by,
    ADD CONSTRAINT capture_is_learned_by CHECK (learned_by = ANY
        ('{notification,question,denial}')) NOT VALID;
