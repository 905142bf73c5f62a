-- Levers that one member of staff asked for and another decides on.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE approvals (
    approval_id     uuid        NOT NULL,
    command         text        NOT NULL,  -- the lever
    arguments       jsonb       NOT NULL,
    reason          text        NOT NULL,
    forecast        jsonb       NOT NULL,  -- as it was shown to whoever asked
    forecast_sha256 bytea       NOT NULL,  -- of the lever, its arguments and the forecast: what an approver approves
    rows            bigint      NOT NULL,
    rupiah          bigint      NOT NULL,
    requested_by    uuid        NOT NULL,
    requested_at    timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    state           text        NOT NULL DEFAULT 'waiting',
    decided_by      uuid,
    decided_at      timestamptz,
    note            text        NOT NULL DEFAULT '',
    found           jsonb,                 -- where it was overtaken: the forecast at that moment, or the refusal
    CONSTRAINT approvals_pkey PRIMARY KEY (approval_id),
    CONSTRAINT approval_state_is_known CHECK (state IN
        ('waiting', 'executed', 'declined', 'withdrawn', 'expired', 'overtaken')),
    CONSTRAINT approver_is_another CHECK (state NOT IN ('executed', 'declined', 'overtaken') OR decided_by <> requested_by),
    CONSTRAINT approval_was_decided_by_somebody CHECK ((decided_at IS NULL) = (state = 'waiting')
        AND (decided_by IS NULL) = (state IN ('waiting', 'expired'))),
    CONSTRAINT approval_is_withdrawn_by_who_asked CHECK (state <> 'withdrawn' OR decided_by = requested_by),
    CONSTRAINT approval_lives_for_a_while CHECK (expires_at > requested_at),
    CONSTRAINT approval_moves_something CHECK (rows >= 0 AND rupiah >= 0),
    CONSTRAINT approval_hash_is_sha256 CHECK (length(forecast_sha256) = 32),
    -- The unique index below holds them.
    CONSTRAINT approval_arguments_are_short CHECK (octet_length(arguments::text) <= 2000)
);
CREATE UNIQUE INDEX one_waiting_approval_of_one_act ON approvals (command, arguments) WHERE state = 'waiting';
CREATE INDEX approvals_that_wait ON approvals (expires_at) WHERE state = 'waiting';
-- For retention.
CREATE INDEX approvals_to_blank ON approvals (decided_at) WHERE forecast <> '{}';
