-- Accounts, sign-in, sessions, API keys, and the record of who did what.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE accounts (
    account_id uuid        CONSTRAINT accounts_pkey PRIMARY KEY,
    email      text        NOT NULL,
    language   text        NOT NULL DEFAULT 'id',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT language_is_spoken CHECK (language IN ('id', 'en'))
);

-- Global: finds the account of an address before any account is known.  Its key is the address,
-- so it is distributed by itself; the account row is written in the same transaction.
CREATE TABLE email_directory (
    email      text CONSTRAINT email_directory_pkey PRIMARY KEY,
    account_id uuid NOT NULL,
    CONSTRAINT email_is_normalized CHECK (email = lower(email) AND email LIKE '%_@_%')
);

-- Global: before sign-in there is no account.  The code itself is stored nowhere: it is derived
-- from the instance key and the challenge id.
CREATE TABLE sign_in_challenges (
    challenge_id uuid        CONSTRAINT sign_in_challenges_pkey PRIMARY KEY,
    email        text        NOT NULL,
    network      text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    tries        integer     NOT NULL DEFAULT 0,
    used_at      timestamptz
);
CREATE INDEX sign_in_challenges_by_email ON sign_in_challenges (email, created_at);
CREATE INDEX sign_in_challenges_by_network ON sign_in_challenges (network, created_at);

CREATE TABLE sessions (
    account_id  uuid        NOT NULL,
    session_id  uuid        NOT NULL,
    secret_hash bytea       NOT NULL,  -- SHA-256 of 256 random bits; no salt is needed
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    CONSTRAINT sessions_pkey PRIMARY KEY (account_id, session_id)
);

CREATE TABLE api_keys (
    account_id  uuid        NOT NULL,
    key_id      uuid        NOT NULL,
    secret_hash bytea       NOT NULL,
    name        text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (account_id, key_id)
);

CREATE TABLE audit_events (
    account_id  uuid        NOT NULL,
    event_id    uuid        NOT NULL DEFAULT gen_random_uuid(),
    actor       text        NOT NULL,  -- 'account', 'operator', 'worker'
    action      text        NOT NULL,
    subject     text        NOT NULL,
    facts       jsonb       NOT NULL DEFAULT '{}',
    happened_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_events_pkey PRIMARY KEY (account_id, event_id)
);
