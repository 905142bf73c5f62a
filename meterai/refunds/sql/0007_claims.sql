-- A buyer names a bank account: the links that are mailed for it, and what was typed and confirmed.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE claim_links (
    account_id uuid        NOT NULL,
    link_id    uuid        NOT NULL,
    refund_id  uuid        NOT NULL,  -- that waited when it was made
    made_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    state      text        NOT NULL DEFAULT 'open',
    ended_at   timestamptz,
    CONSTRAINT claim_links_pkey PRIMARY KEY (account_id, link_id),
    CONSTRAINT claim_link_state_is_known CHECK (state = ANY ('{open,used,spent}')),
    CONSTRAINT claim_link_has_its_end CHECK ((state = 'open') = (ended_at IS NULL)),
    CONSTRAINT claim_link_is_for_a_refund FOREIGN KEY (account_id, refund_id) REFERENCES refunds
);
CREATE UNIQUE INDEX one_open_claim_link ON claim_links (account_id) WHERE state = 'open';
CREATE INDEX claim_links_by_expiry ON claim_links (expires_at) WHERE state = 'open';

CREATE TABLE account_claims (
    account_id   uuid        NOT NULL,
    claim_id     uuid        NOT NULL,
    claim_key    text        NOT NULL,
    request_hash bytea       NOT NULL,
    link_id      uuid,                 -- by which it came; NULL: by its owner, signed in
    asked_at     timestamptz NOT NULL DEFAULT now(),
    state        text        NOT NULL DEFAULT 'asked',
    bank_code    text        NOT NULL,  -- three digits
    account_no   text        NOT NULL,
    typed        text        NOT NULL,  -- the name of the holder, as its buyer typed it
    confirmed    text        NOT NULL DEFAULT '',  -- as its bank confirmed it
    held_for     text        NOT NULL DEFAULT '',
    decided_at   timestamptz,
    CONSTRAINT account_claims_pkey PRIMARY KEY (account_id, claim_id),
    CONSTRAINT one_account_claim_per_key UNIQUE (account_id, claim_key),
    CONSTRAINT account_claim_state_is_known CHECK (state = ANY
        ('{asked,unanswered,unknown,near,other,held,named,declined,over}'))
);
CREATE INDEX account_claims_to_leave ON account_claims (asked_at) WHERE state <> 'held';
CREATE INDEX account_claims_held ON account_claims (asked_at) WHERE state = 'held';
