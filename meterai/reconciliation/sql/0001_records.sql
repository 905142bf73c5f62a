-- Records of providers and banks, day by day and line by line, and the files that they came in.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE record_days (
    provider      text        NOT NULL,  -- whose record: a rail, or the operator's own account
    day           date        NOT NULL,  -- in WIB
    state         text        NOT NULL DEFAULT 'reading',
    source        text        NOT NULL,
    reading       integer     NOT NULL DEFAULT 0,  -- which reading is the one compared; 0 before the first
    tries         integer     NOT NULL DEFAULT 1,
    fault         text,                  -- why it could not be read or compared, the last time
    leased_until  timestamptz NOT NULL,  -- one worker reads; after a crash or a fault it is tried again then
    begun_at      timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz,           -- of the last comparison
    read_again_at timestamptz,           -- a record may change its mind
    lines         integer     NOT NULL DEFAULT 0,
    matched       integer     NOT NULL DEFAULT 0,
    unreadable    integer     NOT NULL DEFAULT 0,
    broken        integer     NOT NULL DEFAULT 0,  -- differences found, of which unreadable lines are a part
    CONSTRAINT record_days_pkey PRIMARY KEY (provider, day),
    CONSTRAINT record_day_state_is_known CHECK (state IN ('reading', 'waiting', 'differing', 'final')),
    CONSTRAINT record_source_is_known CHECK (source IN ('history', 'files')),
    CONSTRAINT record_day_is_counted CHECK
        (matched >= 0 AND matched <= lines AND unreadable >= 0 AND unreadable <= lines AND broken >= 0),
    CONSTRAINT compared_day_says_when CHECK (state NOT IN ('differing', 'final') OR ended_at IS NOT NULL)
);
CREATE INDEX record_days_to_do ON record_days (leased_until) WHERE state <> 'final' OR read_again_at IS NOT NULL;

CREATE TABLE record_lines (
    provider           text        NOT NULL,
    day                date        NOT NULL,
    reading            integer     NOT NULL,
    position           integer     NOT NULL,
    source             text        NOT NULL,  -- of a file the SHA-256 of it, of a history nothing
    kind               text        NOT NULL,
    moved_at           timestamptz NOT NULL,
    reference          text,
    payment            text,
    refund_no          text,
    of_account         uuid,                  -- whose refund or attempt it is, where it names one of ours
    of_refund          uuid,                  -- the refund, or of a line without a payment the attempt
    provider_refund_no text,
    amount             bigint      NOT NULL,
    fee                bigint      NOT NULL DEFAULT 0,
    tax                bigint      NOT NULL DEFAULT 0,
    line               text        NOT NULL,
    CONSTRAINT record_lines_pkey PRIMARY KEY (provider, day, reading, position),
    CONSTRAINT record_line_has_an_amount CHECK (amount > 0 AND fee >= 0 AND tax >= 0)
);
CREATE INDEX record_lines_to_leave ON record_lines USING brin (moved_at) WITH (autosummarize = on);
CREATE INDEX record_lines_by_payment ON record_lines (payment) WHERE payment IS NOT NULL;

CREATE TABLE record_files (
    sha256    bytea       NOT NULL,
    provider  text        NOT NULL,
    day       date        NOT NULL,
    name      text        NOT NULL,  -- as it was called, without its folder
    layout    text        NOT NULL,
    bytes     bigint      NOT NULL,
    pieces    integer     NOT NULL,  -- objects that have it; 0 once it was let go
    lines     integer     NOT NULL,
    unreadable integer    NOT NULL,
    taken_at  timestamptz NOT NULL DEFAULT now(),
    taken_by  text        NOT NULL,
    CONSTRAINT record_files_pkey PRIMARY KEY (sha256, provider, day)
);
CREATE INDEX record_files_of_day ON record_files (provider, day);
