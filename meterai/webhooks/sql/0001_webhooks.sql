-- Endpoints of accounts, messages to them, and each attempt to deliver one.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE webhook_endpoints (
    account_id      uuid        NOT NULL,
    endpoint_id     uuid        NOT NULL,
    url             text        NOT NULL,
    description     text        NOT NULL,
    events          text[]      NOT NULL,  -- public types; '*' is all of them
    state           text        NOT NULL DEFAULT 'enabled',
    why             text,                  -- of one that is disabled
    secret          bytea,                 -- sealed
    secret_before   bytea,                 -- signs beside it until before_until
    before_until    timestamptz,
    made_at         timestamptz NOT NULL,
    moved_at        timestamptz NOT NULL,  -- when it came into its state
    idempotency_key text        NOT NULL,
    request_hash    bytea       NOT NULL,
    rotate_key      text,                  -- the Idempotency-Key of its present secret
    failing_since   timestamptz,           -- no attempt since then delivered
    failed_messages integer     NOT NULL DEFAULT 0,  -- of which an attempt failed since then
    is_aside        boolean     NOT NULL DEFAULT false,  -- answers slowly: it waits beside the others
    aside_since     timestamptz,
    tried_at        timestamptz,           -- while it is aside
    CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (account_id, endpoint_id),
    CONSTRAINT one_webhook_per_key UNIQUE (account_id, idempotency_key),
    CONSTRAINT webhook_state_is_known CHECK (state = ANY ('{enabled,disabled,removed}')),
    CONSTRAINT webhook_disabled_says_why CHECK ((state = 'disabled') = (why IS NOT NULL)),
    CONSTRAINT webhook_why_is_known CHECK (why = ANY ('{asked,gone,failing}')),
    CONSTRAINT webhook_url_is_short CHECK (char_length(url) <= 1000),
    CONSTRAINT webhook_has_events CHECK (cardinality(events) >= 1),
    CONSTRAINT webhook_has_a_secret CHECK ((state = 'removed') = (secret IS NULL)),
    CONSTRAINT webhook_secret_before_ends CHECK ((secret_before IS NULL) = (before_until IS NULL)),
    CONSTRAINT webhook_aside_says_since_when CHECK (is_aside = (aside_since IS NOT NULL))
);
CREATE INDEX webhook_endpoints_by_id ON webhook_endpoints (endpoint_id);
CREATE INDEX webhook_endpoints_aside ON webhook_endpoints (tried_at) WHERE is_aside AND state = 'enabled';
CREATE INDEX webhook_endpoints_disabled ON webhook_endpoints (moved_at) WHERE state = 'disabled';
CREATE INDEX webhook_endpoints_to_leave ON webhook_endpoints (moved_at) WHERE state = 'removed';

CREATE TABLE webhook_messages (
    account_id   uuid        NOT NULL,
    message_id   uuid        NOT NULL,  -- by time; the webhook-id
    endpoint_id  uuid        NOT NULL,
    type         text        NOT NULL,
    body         text        NOT NULL,  -- as it is signed and sent
    state        text        NOT NULL,
    made_at      timestamptz NOT NULL,
    try_at       timestamptz NOT NULL,  -- not before; a lease moves it forward
    tries        integer     NOT NULL DEFAULT 0,  -- since it was made or replayed
    attempts     integer     NOT NULL DEFAULT 0,  -- in all
    is_aside     boolean     NOT NULL DEFAULT false,  -- its endpoint is, or was
    delivered_at timestamptz,
    CONSTRAINT webhook_messages_pkey PRIMARY KEY (account_id, message_id),
    CONSTRAINT webhook_message_has_its_endpoint FOREIGN KEY (account_id, endpoint_id) REFERENCES webhook_endpoints,
    CONSTRAINT webhook_message_state_is_known CHECK (state = ANY ('{waiting,delivered,undelivered}')),
    CONSTRAINT webhook_message_is_small CHECK (octet_length(body) <= 16384),
    CONSTRAINT webhook_message_delivered_says_when CHECK ((state = 'delivered') = (delivered_at IS NOT NULL))
);
CREATE INDEX webhook_messages_due ON webhook_messages (try_at) WHERE state = 'waiting' AND NOT is_aside;
CREATE INDEX webhook_messages_waiting ON webhook_messages (account_id, endpoint_id, try_at) WHERE state = 'waiting';
CREATE INDEX webhook_messages_undelivered ON webhook_messages (account_id, endpoint_id, message_id)
    WHERE state = 'undelivered';
CREATE INDEX webhook_messages_of_endpoint ON webhook_messages (account_id, endpoint_id, message_id);
CREATE INDEX webhook_messages_by_id ON webhook_messages (message_id);
CREATE INDEX webhook_messages_to_leave ON webhook_messages (made_at) WHERE state <> 'waiting';

CREATE TABLE webhook_attempts (
    account_id uuid        NOT NULL,
    message_id uuid        NOT NULL,
    number     integer     NOT NULL,
    began_at   timestamptz NOT NULL,
    ms         integer     NOT NULL,
    status     integer,               -- of the answer; none where none came
    answer     bytea       NOT NULL,  -- its first bytes
    failure    text,                  -- none where it was delivered
    CONSTRAINT webhook_attempts_pkey PRIMARY KEY (account_id, message_id, number),
    CONSTRAINT webhook_answer_is_cut CHECK (octet_length(answer) <= 1024)
);
CREATE INDEX webhook_attempts_to_leave ON webhook_attempts (began_at);
