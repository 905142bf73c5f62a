-- Requests of people about their own data, and the register of breaches.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE privacy_requests (
    account_id  uuid        NOT NULL,
    request_id  uuid        NOT NULL,
    kind        text        NOT NULL,
    state       text        NOT NULL,
    asked_at    timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,  -- by when it is answered
    answered_at timestamptz,
    acts_at     timestamptz,           -- an erasure is not carried out before
    look_at     timestamptz,           -- when a periodic task looks at it
    ended_at    timestamptz,
    fates       jsonb       NOT NULL DEFAULT '[]',  -- what an erasure did to each table
    CONSTRAINT privacy_requests_pkey PRIMARY KEY (account_id, request_id),
    CONSTRAINT privacy_request_state_is_known CHECK (CASE kind
        WHEN 'copy' THEN state IN ('asked', 'made', 'gone')
        WHEN 'erasure' THEN state IN ('asked', 'closing', 'erased', 'swept', 'withdrawn')
        ELSE false END),
    CONSTRAINT privacy_request_is_due_in_three_days CHECK (due_at = asked_at + interval '72 hours'),
    CONSTRAINT erasure_has_its_time CHECK ((kind = 'erasure') = (acts_at IS NOT NULL)),
    CONSTRAINT privacy_request_ends_once CHECK ((state IN ('gone', 'erased', 'swept', 'withdrawn')) = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_open_privacy_request ON privacy_requests (account_id, kind)
    WHERE state IN ('asked', 'made', 'closing');
CREATE INDEX privacy_requests_to_look_at ON privacy_requests (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX privacy_requests_due ON privacy_requests (due_at) WHERE answered_at IS NULL;
CREATE INDEX privacy_requests_by_time ON privacy_requests (asked_at);
CREATE INDEX privacy_requests_by_id ON privacy_requests (request_id);

CREATE TABLE breaches (
    breach_id        uuid        NOT NULL,
    state            text        NOT NULL DEFAULT 'open',
    opened_at        timestamptz NOT NULL,
    known_at         timestamptz NOT NULL,
    due_at           timestamptz NOT NULL,  -- by when subjects and agency are told
    exposed_id       text        NOT NULL,
    exposed_en       text        NOT NULL,
    happened_id      text        NOT NULL,
    happened_en      text        NOT NULL,
    handling_id      text        NOT NULL,
    handling_en      text        NOT NULL,
    accounts         uuid[],                -- whose data; NULL: everybody's
    agency_told_at   timestamptz,
    subjects_from    timestamptz,           -- since when mails to them are queued
    subjects_after   uuid,                  -- the last account that has its mail
    subjects_told_at timestamptz,
    subjects_told    integer     NOT NULL DEFAULT 0,
    not_told         text        NOT NULL DEFAULT '',  -- why somebody was not told
    closed_at        timestamptz,
    CONSTRAINT breaches_pkey PRIMARY KEY (breach_id),
    CONSTRAINT breach_state_is_known CHECK (state IN ('open', 'closed')),
    CONSTRAINT breach_is_due_in_three_days CHECK (due_at = known_at + interval '72 hours'),
    CONSTRAINT breach_names_few_accounts CHECK (cardinality(accounts) BETWEEN 1 AND 1000),
    CONSTRAINT breach_is_closed_once CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT breach_is_closed_told_or_with_a_reason CHECK
        (state = 'open' OR not_told <> '' OR (agency_told_at IS NOT NULL AND subjects_told_at IS NOT NULL)),
    CONSTRAINT breach_subjects_are_told_in_order CHECK
        (subjects_told_at IS NULL OR subjects_told_at >= subjects_from)
);
CREATE INDEX breaches_open ON breaches (due_at) WHERE state = 'open';
CREATE INDEX breaches_to_tell ON breaches (subjects_from) WHERE subjects_told_at IS NULL AND subjects_from IS NOT NULL;
