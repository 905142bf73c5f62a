-- An attempt says by which rail it is paid, by which of its methods, and what its buyer is shown.
-- What is there was made by the one rail there was; a process of before makes no other and writes the
-- QR into qr_content alone, so who reads falls back on it, and who writes a QR writes both.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE payment_attempts
    ADD COLUMN provider text NOT NULL DEFAULT 'bank',  -- the name of its rail
    ADD COLUMN method text NOT NULL DEFAULT 'qris',
    ADD COLUMN instructions jsonb,         -- kind and payload: how to pay it
    ADD COLUMN instructed_at timestamptz,  -- when they were made
    DROP CONSTRAINT waiting_attempt_has_a_qr,
    ADD CONSTRAINT waiting_attempt_has_instructions
        CHECK (state <> 'waiting' OR instructions IS NOT NULL OR qr_content IS NOT NULL) NOT VALID,
    ADD CONSTRAINT instructions_have_their_time
        CHECK ((instructions IS NULL) = (instructed_at IS NULL)) NOT VALID;

-- What was read in a notification when it came; NULL where a process of before took it.
ALTER TABLE notification_inbox ADD COLUMN reading jsonb;
