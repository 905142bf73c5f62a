-- The checks of 0001 hold for every row of before.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '10min';

ALTER TABLE refunds VALIDATE CONSTRAINT refund_is_reversed_in_part_or_whole;
ALTER TABLE refunds VALIDATE CONSTRAINT refund_cause_is_known;
