-- A literal array is one constant; that of IN (...) is made from its parts by each statement that writes a row.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE stamp_lots
    DROP CONSTRAINT lot_is_in_a_stamp_book,
    ADD CONSTRAINT lot_is_in_a_stamp_book CHECK (book = ANY
        ('{stamps_available,stamps_ordered}')) NOT VALID;
