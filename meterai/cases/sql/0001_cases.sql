-- Complaints: a case, its messages, and pictures as evidence.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

-- account_id is a digest of the address where the address has no account, so that such cases are distributed as others are.
CREATE TABLE cases (
    account_id   uuid        NOT NULL,
    case_id      uuid        NOT NULL,
    joins_key    text        NOT NULL,  -- the same matter of the same order joins what is not closed
    matter       text        NOT NULL,
    about        text        NOT NULL DEFAULT '',  -- ord_... or stg_... of the account, empty where there is none
    order_id     uuid,
    contact      text        NOT NULL DEFAULT '',  -- typed by who was not signed in
    language     text        NOT NULL,
    state        text        NOT NULL DEFAULT 'open',
    owner_id     uuid,                  -- the account of somebody of staff
    answer       text,                  -- code of the answer from the facts
    answer_facts jsonb       NOT NULL DEFAULT '{}',
    facts_sha256 bytea,                 -- of the facts that the answer was made from
    answered_at  timestamptz,
    answered_by  text,                  -- the last answer, of the facts or of staff
    outcome      text,
    opened_at    timestamptz NOT NULL,
    due_at       timestamptz,           -- by when staff answer
    closes_at    timestamptz,           -- when it ends by itself
    closed_at    timestamptz,
    reopened_at  timestamptz,
    times_told   integer     NOT NULL DEFAULT 1,
    CONSTRAINT cases_pkey PRIMARY KEY (account_id, case_id),
    CONSTRAINT case_matter_is_known CHECK (matter IN ('paid_not_executed', 'paid_twice', 'status_says_failed',
        'stamp_missing', 'quota_lost', 'refund_where', 'file_missing', 'cannot_open', 'invalid_at_agency',
        'something_else')),
    CONSTRAINT case_state_is_known CHECK (state IN ('open', 'answered', 'asked', 'closed')),
    CONSTRAINT case_outcome_is_known CHECK
        (outcome IN ('accepted', 'money_back', 'silent', 'solved', 'explained', 'not_ours')),
    CONSTRAINT case_answer_is_of_somebody CHECK (answered_by IN ('facts', 'staff')),
    CONSTRAINT case_language_is_known CHECK (language IN ('id', 'en')),
    CONSTRAINT case_that_is_open_is_due CHECK ((state = 'open') = (due_at IS NOT NULL)),
    CONSTRAINT case_that_waits_for_the_person_ends CHECK
        ((state IN ('answered', 'asked')) = (closes_at IS NOT NULL)),
    CONSTRAINT case_that_is_closed_has_its_time CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT case_that_is_closed_has_its_outcome CHECK ((state = 'closed') = (outcome IS NOT NULL)),
    CONSTRAINT case_of_an_order_names_it CHECK (order_id IS NULL OR about <> ''),
    CONSTRAINT case_answered_from_facts_names_them CHECK
        (answer IS NULL OR (about <> '' AND octet_length(facts_sha256) = 32 AND answered_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_case_of_a_matter ON cases (account_id, joins_key) WHERE state <> 'closed';
CREATE INDEX cases_by_id ON cases (case_id);
CREATE INDEX cases_due ON cases (due_at) WHERE state = 'open';
CREATE INDEX cases_to_close ON cases (closes_at) WHERE state IN ('answered', 'asked');
CREATE INDEX cases_of_order ON cases (account_id, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX cases_to_blank ON cases (opened_at) WHERE contact <> '';

CREATE TABLE case_messages (
    account_id      uuid        NOT NULL,
    case_id         uuid        NOT NULL,
    message_id      uuid        NOT NULL,  -- by time
    author          text        NOT NULL,
    kind            text        NOT NULL,
    staff_id        uuid,
    words           text        NOT NULL DEFAULT '',
    idempotency_key text,
    request_hash    bytea,
    written_at      timestamptz NOT NULL,
    CONSTRAINT case_messages_pkey PRIMARY KEY (account_id, case_id, message_id),
    CONSTRAINT message_has_its_case FOREIGN KEY (account_id, case_id) REFERENCES cases,
    CONSTRAINT message_author_is_known CHECK (author IN ('person', 'staff', 'facts')),
    CONSTRAINT message_kind_is_known CHECK
        (kind IN ('complaint', 'reply', 'not_answered', 'answer', 'question', 'closing')),
    CONSTRAINT message_of_staff_says_whose CHECK ((author = 'staff') = (staff_id IS NOT NULL)),
    CONSTRAINT message_with_a_key_has_its_hash CHECK
        ((idempotency_key IS NULL) = (request_hash IS NULL))
);
CREATE UNIQUE INDEX one_complaint_per_key ON case_messages (account_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX case_messages_to_blank ON case_messages (written_at) WHERE words <> '';

CREATE TABLE case_pictures (
    account_id uuid        NOT NULL,
    case_id    uuid        NOT NULL,
    picture_id uuid        NOT NULL,
    webp       bytea       NOT NULL,  -- drawn anew from what was sent: pixels and nothing else
    added_at   timestamptz NOT NULL,
    CONSTRAINT case_pictures_pkey PRIMARY KEY (account_id, case_id, picture_id),
    CONSTRAINT picture_has_its_case FOREIGN KEY (account_id, case_id) REFERENCES cases,
    CONSTRAINT picture_is_small CHECK (octet_length(webp) BETWEEN 12 AND 61440)
);
CREATE INDEX case_pictures_to_leave ON case_pictures (added_at);
