-- An API key may do what its scopes say, may have an end, and says who made it and which key it replaces.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

-- No scopes: a key of before, or one that an operator made for everything that a key may do.
ALTER TABLE api_keys
    ADD COLUMN scopes      text[],
    ADD COLUMN expires_at  timestamptz,
    ADD COLUMN made_by     uuid,
    ADD COLUMN follows     uuid,
    ADD COLUMN end_told_at timestamptz;
ALTER TABLE api_keys ADD CONSTRAINT api_key_ends_after_it_was_made CHECK (expires_at > created_at) NOT VALID;
CREATE UNIQUE INDEX one_successor_per_key ON api_keys (account_id, follows) WHERE follows IS NOT NULL;
CREATE INDEX api_keys_that_end ON api_keys (expires_at)
    WHERE expires_at IS NOT NULL AND ended_at IS NULL AND end_told_at IS NULL;
-- For retention: a key is over when it was ended or when its time was, whichever came first.
DROP INDEX api_keys_to_leave;
CREATE INDEX api_keys_to_leave ON api_keys (least(ended_at, expires_at))
    WHERE least(ended_at, expires_at) IS NOT NULL;
