-- Money and stamps after an attack: a round handles each row by itself; what an issuer takes back
-- is found again where it came from, in part too.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- What a round could not do, and when it may try again.  A row is written by a failure and deleted
-- by the next success, so the table is empty on a good day.
CREATE TABLE round_faults (
    account_id uuid        NOT NULL,
    round      text        NOT NULL,
    subject    text        NOT NULL,  -- the id of what the round could not handle
    tries      integer     NOT NULL DEFAULT 1,
    code       text        NOT NULL,  -- of the refusal, or 'fault'
    last_fault text        NOT NULL,
    first_at   timestamptz NOT NULL DEFAULT now(),
    last_at    timestamptz NOT NULL DEFAULT now(),
    try_at     timestamptz NOT NULL,
    CONSTRAINT round_faults_pkey PRIMARY KEY (account_id, round, subject)
);
