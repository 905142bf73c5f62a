-- Codes of one mailbox are found together: what stands between + and @ is the choice of whoever asks
-- (subaddressing, RFC 5233).
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE INDEX sign_in_challenges_by_mailbox
    ON sign_in_challenges (regexp_replace(email, '\+[^@]*@', '@'), created_at) WHERE device IS NULL;
