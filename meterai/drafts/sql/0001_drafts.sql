-- Files that somebody chose to have stamped, before anything is ordered.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE drafts (
    draft_id   uuid        NOT NULL,
    token_hash bytea       NOT NULL,  -- SHA-256 of what the browser's cookie has
    owner_id   uuid,                  -- the account, once somebody has signed in
    network    text        NOT NULL,
    order_key  text        NOT NULL,  -- under which it is ordered: pressing twice is one order
    order_id   uuid,                  -- what was ordered of it by QRIS
    is_done    boolean     NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT drafts_pkey PRIMARY KEY (draft_id),
    CONSTRAINT draft_token_is_a_hash CHECK (octet_length(token_hash) = 32),
    CONSTRAINT draft_ends_after_it_began CHECK (expires_at > created_at),
    CONSTRAINT draft_that_is_done_has_an_owner CHECK (NOT is_done OR owner_id IS NOT NULL),
    CONSTRAINT draft_with_an_order_is_done CHECK (order_id IS NULL OR is_done)
);
CREATE UNIQUE INDEX drafts_by_token ON drafts (token_hash);
CREATE INDEX drafts_of_owner ON drafts (owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX drafts_of_network ON drafts (network);
CREATE INDEX drafts_to_forget ON drafts (expires_at);

CREATE TABLE draft_files (
    draft_id      uuid        NOT NULL,
    file_id       uuid        NOT NULL,  -- by time: the order in which files were chosen
    name          text        NOT NULL,
    bytes         integer     NOT NULL,  -- as announced, and as received once it is complete
    received      integer     NOT NULL DEFAULT 0,
    digest        bytea,                 -- SHA-256 that the sender says all of it has
    state         text        NOT NULL,
    parts         uuid[]      NOT NULL DEFAULT '{}',  -- objects, in the order of their bytes
    content_id    uuid,                  -- the object of a whole document that can be stamped
    leased_until  timestamptz,           -- somebody examines it until then
    sha256        bytea,                 -- of that document; of a refused file as it came
    pages         integer,
    sizes         jsonb       NOT NULL DEFAULT '[]',  -- page, width and height of the first pages and the last
    is_stamped    boolean     NOT NULL DEFAULT false,  -- it bears a seal of ours
    refusal       text,
    refusal_facts jsonb       NOT NULL DEFAULT '{}',
    placements    jsonb       NOT NULL DEFAULT '[]',
    version       integer     NOT NULL DEFAULT 0,  -- of the placements
    added_at      timestamptz NOT NULL,
    CONSTRAINT draft_files_pkey PRIMARY KEY (draft_id, file_id),
    CONSTRAINT draft_file_state_is_known CHECK
        (state IN ('receiving', 'examining', 'ready', 'repaired', 'refused')),
    CONSTRAINT draft_file_receives_what_was_announced CHECK
        (bytes >= 0 AND received BETWEEN 0 AND bytes),
    CONSTRAINT draft_file_that_can_be_stamped_is_whole CHECK
        ((state IN ('ready', 'repaired'))
         = (content_id IS NOT NULL AND sha256 IS NOT NULL AND pages IS NOT NULL)),
    CONSTRAINT draft_file_says_why_it_was_refused CHECK ((state = 'refused') = (refusal IS NOT NULL)),
    CONSTRAINT draft_file_is_placed_once_it_can_be_stamped CHECK
        (placements = '[]' OR state IN ('ready', 'repaired'))
);
CREATE UNIQUE INDEX draft_files_by_id ON draft_files (file_id);
CREATE INDEX draft_files_to_examine ON draft_files (leased_until) WHERE state = 'examining';
