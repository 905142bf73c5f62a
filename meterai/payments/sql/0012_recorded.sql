-- News and answers are evidence; a payment and a refund are closed once the record of their provider has them.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE captures
    ADD COLUMN recorded_at timestamptz,  -- when the record was first read that has it; NULL: none does yet
    DROP CONSTRAINT capture_is_learned_by,
    ADD CONSTRAINT capture_is_learned_by CHECK (learned_by = ANY
        ('{notification,question,denial,operator,record}')) NOT VALID;
ALTER TABLE refunds ADD COLUMN recorded_at timestamptz;
