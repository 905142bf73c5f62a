-- Staff see keys near their end, told of or not: one index serves them and the mails.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

DROP INDEX api_keys_that_end;
CREATE INDEX api_keys_that_end ON api_keys (expires_at) WHERE expires_at IS NOT NULL AND ended_at IS NULL;
