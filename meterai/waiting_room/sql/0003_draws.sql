-- Before a line opens: who is in its draw, what was published of it, and the numbers that were drawn.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

-- A draw that could not be carried out is announced anew: the next attempt.
CREATE TABLE waiting_room_draws (
    line_id         uuid        NOT NULL,
    attempt         integer     NOT NULL,
    record          text        NOT NULL,             -- draw.json, as far as it is written
    count           bigint,                           -- entries, once they are closed
    round_signature text        NOT NULL DEFAULT '',  -- carried in by hand, where there is no network
    announced_at    timestamptz NOT NULL,
    drawn_at        timestamptz,                      -- the result is in the record
    opened_at       timestamptz,                      -- every number is written, and the line opened
    CONSTRAINT waiting_room_draws_pkey PRIMARY KEY (line_id, attempt),
    CONSTRAINT draw_attempts_count CHECK (attempt > 0),
    CONSTRAINT draw_goes_in_order CHECK
        ((drawn_at IS NULL OR count IS NOT NULL) AND (opened_at IS NULL OR drawn_at IS NOT NULL))
);

CREATE TABLE waiting_room_entries (
    line_id    uuid        NOT NULL,
    entry      bytea       NOT NULL,
    entered_at timestamptz NOT NULL,
    CONSTRAINT waiting_room_entries_pkey PRIMARY KEY (line_id, entry),
    CONSTRAINT entry_has_its_length CHECK (octet_length(entry) = 16)
);
CREATE INDEX waiting_room_entries_to_leave ON waiting_room_entries (entered_at);

CREATE TABLE waiting_room_drawn (
    line_id  uuid        NOT NULL,
    entry    bytea       NOT NULL,
    number   bigint      NOT NULL,
    drawn_at timestamptz NOT NULL,
    CONSTRAINT waiting_room_drawn_pkey PRIMARY KEY (line_id, entry),
    CONSTRAINT drawn_number_is_given_once UNIQUE (line_id, number),
    CONSTRAINT drawn_number_counts CHECK (number > 0)
);
CREATE INDEX waiting_room_drawn_to_leave ON waiting_room_drawn (drawn_at);

CREATE TABLE waiting_room_parties (
    line_id      uuid        NOT NULL,
    attempt      integer     NOT NULL,
    name         text        NOT NULL,
    commitment   text        NOT NULL,
    public_key   text        NOT NULL,
    committed_at timestamptz NOT NULL,
    secret       text,
    signature    text,
    revealed_at  timestamptz,
    CONSTRAINT waiting_room_parties_pkey PRIMARY KEY (line_id, attempt, name),
    CONSTRAINT party_reveals_at_once CHECK
        ((secret IS NULL) = (revealed_at IS NULL) AND (signature IS NULL) = (revealed_at IS NULL))
);
