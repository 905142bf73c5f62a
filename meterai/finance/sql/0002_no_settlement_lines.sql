-- Fees, tax and settlements are booked by what a record says of a day (room reconciliation); nothing wrote these.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

DROP FUNCTION IF EXISTS settlement_book(uuid, text, text, timestamptz, bigint, bigint, bigint);
DROP TABLE settlement_lines;
