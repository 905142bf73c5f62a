-- A refund that was settled is looked for in the provider's record until that ends: what came back of it is a
-- sum that only grows, and goes to the buyer by another refund.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE refunds
    ADD COLUMN reversed bigint NOT NULL DEFAULT 0,  -- of it, with us again since it was settled
    ADD COLUMN look_at timestamptz,  -- when it is next looked for in the record; NULL: it is not
    ADD CONSTRAINT refund_is_reversed_in_part_or_whole
        CHECK (reversed >= 0 AND reversed <= amount AND (reversed = 0 OR state = 'settled')) NOT VALID,
    DROP CONSTRAINT refund_cause_is_known,
    ADD CONSTRAINT refund_cause_is_known CHECK (cause = ANY
        ('{not_executed,not_stamped,asked,short,excess,double,late,remainder,restored}')) NOT VALID;
CREATE INDEX refunds_to_look_up ON refunds (look_at) WHERE look_at IS NOT NULL;
-- Refunds settled lately are looked for as well.
UPDATE refunds SET look_at = now() WHERE state = 'settled' AND settled_at > now() - interval '45 days';
