-- Rows of before are checked; the table is not locked for it.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '10min';

ALTER TABLE refunds VALIDATE CONSTRAINT refund_cause_is_known;
