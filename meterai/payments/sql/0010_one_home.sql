-- Instructions are the one home of a QR.  What processes of before rails wrote into qr_content alone is
-- moved; the version before writes both and reads instructions.  A later release drops qr_content.
-- The time is that of the move: a time of before would be a fact planted behind a point of the audit.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '10min';

UPDATE payment_attempts
SET instructions = jsonb_build_object('kind', 'qr', 'content', qr_content), instructed_at = now()
WHERE instructions IS NULL AND qr_content IS NOT NULL;

ALTER TABLE payment_attempts
    DROP CONSTRAINT waiting_attempt_has_instructions,
    ADD CONSTRAINT waiting_attempt_has_instructions
        CHECK (state <> 'waiting' OR instructions IS NOT NULL) NOT VALID;
