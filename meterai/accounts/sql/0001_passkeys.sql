-- Passkeys of an account, and the challenges that were answered: each opens once.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE passkeys (
    account_id    uuid        NOT NULL,
    passkey_id    uuid        NOT NULL,
    credential_id bytea       NOT NULL,  -- the authenticator's own number of it
    public_key    bytea       NOT NULL,  -- COSE
    name          text        NOT NULL,
    sign_count    bigint      NOT NULL,  -- 0 for ever where the authenticator does not count
    made_at       timestamptz NOT NULL,
    last_used_at  timestamptz,
    ended_at      timestamptz,
    CONSTRAINT passkeys_pkey PRIMARY KEY (account_id, passkey_id),
    CONSTRAINT passkey_is_of_one_credential UNIQUE (account_id, credential_id),
    CONSTRAINT passkey_times_are_possible CHECK (last_used_at >= made_at AND ended_at >= made_at),
    CONSTRAINT passkey_counts_up CHECK (sign_count >= 0)
);

CREATE TABLE passkey_challenges (
    account_id   uuid        NOT NULL,
    challenge_id uuid        NOT NULL,
    answered_at  timestamptz NOT NULL,
    CONSTRAINT passkey_challenges_pkey PRIMARY KEY (account_id, challenge_id)
);
CREATE INDEX passkeys_to_leave ON passkeys (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX passkey_challenges_to_leave ON passkey_challenges (answered_at);
