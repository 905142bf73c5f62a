-- Batches: their files, their rows, and which stamping a row of any of them led to.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE batches (
    account_id      uuid        NOT NULL,
    batch_id        uuid        NOT NULL,
    idempotency_key text        NOT NULL,
    request_hash    bytea       NOT NULL,
    reference       text,                  -- the client's own, of one batch
    state           text        NOT NULL DEFAULT 'open',
    member_id       uuid,                  -- the member of an organization that started it
    order_id        uuid,                  -- the last order that was placed for it
    order_count          smallint    NOT NULL DEFAULT 0,  -- placed for it so far
    needed          integer     NOT NULL DEFAULT 0,  -- free stamps before it goes on, while it waits for them
    made_at         timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    ended_at        timestamptz,
    turn_at         timestamptz NOT NULL DEFAULT now(),  -- when a worker took it up last
    CONSTRAINT batches_pkey PRIMARY KEY (account_id, batch_id),
    CONSTRAINT one_batch_per_key UNIQUE (account_id, idempotency_key),
    CONSTRAINT batch_state_is_known CHECK
        (state IN ('open', 'waiting_for_stamps', 'working', 'cancelling', 'finished', 'cancelled')),
    CONSTRAINT batch_that_ended_has_its_time CHECK
        ((state IN ('finished', 'cancelled')) = (ended_at IS NOT NULL)),
    CONSTRAINT batch_that_is_open_was_not_started CHECK (state <> 'open' OR started_at IS NULL)
);
CREATE UNIQUE INDEX one_batch_per_reference ON batches (account_id, reference) WHERE reference IS NOT NULL;
CREATE INDEX batches_at_work ON batches (turn_at) WHERE state IN ('working', 'cancelling');
CREATE INDEX batches_that_wait ON batches (turn_at) WHERE state = 'waiting_for_stamps';
CREATE INDEX batches_left_open ON batches (made_at) WHERE state = 'open';
CREATE INDEX batches_to_blank ON batches (ended_at) WHERE reference IS NOT NULL;
CREATE INDEX batches_by_id ON batches (batch_id);

CREATE TABLE batch_files (
    account_id  uuid        NOT NULL,
    batch_id    uuid        NOT NULL,
    name        text        NOT NULL,
    came_sha256 bytea       NOT NULL,  -- as it was sent
    sha256      bytea       NOT NULL,  -- as it is stamped; another where it was repaired
    bytes       integer     NOT NULL,
    is_repaired boolean     NOT NULL,
    added_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT batch_files_pkey PRIMARY KEY (account_id, batch_id, name),
    CONSTRAINT file_has_its_batch FOREIGN KEY (account_id, batch_id) REFERENCES batches,
    CONSTRAINT file_has_its_hashes CHECK (octet_length(came_sha256) = 32 AND octet_length(sha256) = 32)
);
CREATE INDEX batch_files_to_leave ON batch_files (added_at);

CREATE TABLE batch_rows (
    account_id   uuid        NOT NULL,
    batch_id     uuid        NOT NULL,
    number       integer     NOT NULL,  -- as it came, from 1
    identity     bytea       NOT NULL,  -- by which the row is known again
    content      bytea       NOT NULL,  -- of what it says
    row_key      text,                  -- the client's own name of it
    document     text        NOT NULL,  -- file:<name>, sha256:<hex> or upload:<id>; empty where none can be read
    document_name text       NOT NULL DEFAULT '',
    sha256       bytea,                 -- of the document, once it is known
    is_repaired  boolean     NOT NULL DEFAULT false,
    wishes       jsonb       NOT NULL,  -- where its stamps go
    quantity       smallint    NOT NULL,
    facts        jsonb       NOT NULL,  -- what the document is, as its sender says
    state        text        NOT NULL,
    code         text,                  -- why it has no stamped document
    code_facts   jsonb       NOT NULL DEFAULT '{}',
    stamping_id  uuid,
    came_at      timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    leased_until timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT batch_rows_pkey PRIMARY KEY (account_id, batch_id, number),
    CONSTRAINT row_has_its_batch FOREIGN KEY (account_id, batch_id) REFERENCES batches,
    CONSTRAINT one_row_per_identity UNIQUE (account_id, batch_id, identity),
    CONSTRAINT row_state_is_known CHECK
        (state IN ('waiting', 'refused', 'reserved', 'delivered', 'failed', 'cancelled')),
    CONSTRAINT row_that_ended_has_its_time CHECK
        ((state IN ('refused', 'delivered', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
    CONSTRAINT row_that_failed_says_why CHECK ((state IN ('refused', 'failed')) = (code IS NOT NULL)),
    CONSTRAINT row_with_stamps_has_its_stamping CHECK
        (state NOT IN ('reserved', 'delivered', 'failed') OR stamping_id IS NOT NULL),
    CONSTRAINT row_hashes_are_sha256 CHECK (octet_length(identity) = 32 AND octet_length(content) = 32
        AND (sha256 IS NULL OR octet_length(sha256) = 32))
);
CREATE INDEX batch_rows_open ON batch_rows (account_id, batch_id, leased_until)
    WHERE state IN ('waiting', 'reserved');
-- The next rows in their order, without those that have ended.
CREATE INDEX batch_rows_that_wait ON batch_rows (account_id, batch_id, number) WHERE state = 'waiting';
CREATE INDEX batch_rows_to_blank ON batch_rows (came_at)
    WHERE ended_at IS NOT NULL AND (facts <> '{}' OR document_name <> '');
CREATE INDEX batch_rows_of_stamping ON batch_rows (account_id, stamping_id) WHERE stamping_id IS NOT NULL;

-- A row of another batch with the same document, placements and facts is that stamping.
CREATE TABLE batch_stampings (
    account_id  uuid        NOT NULL,
    subject     bytea       NOT NULL,  -- hash of document, placements, facts and key
    stamping_id uuid        NOT NULL,
    bound_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT batch_stampings_pkey PRIMARY KEY (account_id, subject),
    CONSTRAINT subject_is_sha256 CHECK (octet_length(subject) = 32)
);
