-- News and answers are evidence: a payment remembers when its provider confirmed it by an answer, an attempt when a
-- question about it was last answered, and a payment that its payer's bank took back may be won back by its payee.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE chargebacks
    ADD COLUMN won bigint NOT NULL DEFAULT 0,  -- of what was posted, with us again, so far
    DROP CONSTRAINT chargeback_has_an_amount,
    DROP CONSTRAINT chargeback_is_counted,
    ADD CONSTRAINT chargeback_has_an_amount CHECK (taken_back >= 0),
    ADD CONSTRAINT chargeback_is_counted CHECK (posted >= 0 AND lost >= 0 AND won BETWEEN 0 AND posted
        AND returned_told >= 0 AND returned_posted BETWEEN 0 AND returned);
-- A whole denial before any payment was the mark of a try that failed; a later payment was taken for denied.
UPDATE chargebacks b SET is_whole = false
WHERE is_whole AND taken_back = 0 AND posted = 0 AND NOT EXISTS (
    SELECT 1 FROM captures c WHERE c.account_id = b.account_id AND c.attempt_id = b.attempt_id
        AND c.payment = b.payment);

ALTER TABLE captures
    ADD COLUMN confirmed_at timestamptz,  -- when an answer to a question first named it; NULL: only news did
    DROP CONSTRAINT capture_is_learned_by,
    ADD CONSTRAINT capture_is_learned_by CHECK (learned_by = ANY
        ('{notification,question,denial,operator}')) NOT VALID;
-- Payments that only news told: those that stay so too long are looked for.
CREATE INDEX captures_unconfirmed ON captures (captured_at)
    WHERE confirmed_at IS NULL AND denied_at IS NULL AND learned_by = 'notification';

ALTER TABLE payment_attempts ADD COLUMN answered_at timestamptz;  -- when a question about it was last answered
