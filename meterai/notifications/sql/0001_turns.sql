-- Mails that somebody waits for, such as sign-in codes, go out by turns of the networks that asked for them.
-- `mails_to_send` is for the version before this one, and goes with the next.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE mails
    ADD COLUMN network uuid,         -- a hash of who asked for it
    ADD COLUMN turn_at timestamptz,  -- its place among those of all networks; empty for what nobody waits for
    ADD CONSTRAINT mail_with_a_turn_has_a_network CHECK ((network IS NULL) = (turn_at IS NULL));
CREATE INDEX mails_by_turn ON mails (turn_at) WHERE state = 'queued' AND turn_at IS NOT NULL;
CREATE INDEX mails_of_network ON mails (network, turn_at) WHERE state = 'queued' AND turn_at IS NOT NULL;
CREATE INDEX mails_without_turn ON mails (try_at) WHERE state = 'queued' AND turn_at IS NULL;
