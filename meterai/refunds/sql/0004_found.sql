-- A refund says when it was last sent, is found by any of its numbers, and is listed while it is open.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE refunds ADD COLUMN tried_at timestamptz;  -- when it was last sent; NULL of those sent before today
CREATE INDEX refunds_by_id ON refunds (refund_id);
CREATE INDEX refunds_by_provider_number ON refunds (provider_refund_no) WHERE provider_refund_no IS NOT NULL;
CREATE INDEX refunds_by_end ON refunds (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX refunds_open ON refunds (due_at) WHERE state IN ('requested', 'sent', 'refused');
