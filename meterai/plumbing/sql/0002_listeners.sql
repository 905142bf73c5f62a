-- Accounts that ask to be told of an event; of all others nothing is published.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE listeners (
    account_id uuid NOT NULL,
    kind       text NOT NULL,  -- the name of an event, or '*' for all
    CONSTRAINT listeners_pkey PRIMARY KEY (account_id, kind)
);
