-- Rows of before are checked; the table is not locked for it.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '10min';

ALTER TABLE orders VALIDATE CONSTRAINT seller_fee_is_part_of_the_fee;
