-- The check of 0003 holds for every row of before.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '10min';

ALTER TABLE stamp_lots VALIDATE CONSTRAINT lot_owes_no_less_than_nothing;
