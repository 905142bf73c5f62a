-- Unused deposit of a seller goes back.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE refunds
    DROP CONSTRAINT refund_cause_is_known,
    ADD CONSTRAINT refund_cause_is_known CHECK (cause = ANY
        ('{not_executed,not_stamped,asked,short,excess,double,late,remainder,restored,deposit}')) NOT VALID;
