-- Rails that a person took out: no new attempt goes there.  Every process looks.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE rails_out (
    rail   text        PRIMARY KEY,
    reason text        NOT NULL,
    out_at timestamptz NOT NULL DEFAULT now()
);
