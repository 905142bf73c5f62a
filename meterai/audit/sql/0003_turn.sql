-- Whose turn it is to audit by itself, and what the last audit of its own found.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE audit_turn (
    only_row     boolean     NOT NULL DEFAULT true,
    leased_until timestamptz NOT NULL,              -- one worker audits; after that another one may
    ended_at     timestamptz,                       -- the last audit
    broken       text[]      NOT NULL DEFAULT '{}', -- promises that did not hold in it
    CONSTRAINT audit_turn_pkey PRIMARY KEY (only_row),
    CONSTRAINT one_turn CHECK (only_row)
);
