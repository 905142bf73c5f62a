-- Jobs and refusals: what every room's functions use.
--
-- House rules for the schema (design, section 8; tests/tidy/test_schema.py holds them):
--   * a row that belongs to an account has account_id first in its primary key, and no
--     uniqueness leaves it out, so that the same SQL runs distributed by account_id;
--   * such tables have no triggers; a foreign key stays within the account;
--   * a hot command is one function, called by one statement;
--   * every constraint has a name that says what is wrong when it fails.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Jobs of no account (sign-in mails, notifications of a bank) carry the nil account.
CREATE TABLE jobs (
    account_id   uuid        NOT NULL,
    job_id       uuid        NOT NULL DEFAULT gen_random_uuid(),
    kind         text        NOT NULL,
    facts        jsonb       NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    run_at       timestamptz NOT NULL DEFAULT now(),  -- not before; a lease moves it forward
    tries        integer     NOT NULL DEFAULT 0,
    last_fault   text,
    CONSTRAINT jobs_pkey PRIMARY KEY (account_id, job_id)
);
CREATE INDEX jobs_by_run_at ON jobs (run_at);

COMMENT ON TABLE jobs IS
    'The outbox and the queue in one: written in the transaction that caused it, deleted in the '
    'transaction of its effect.  Polled, never notified: NOTIFY takes a lock through the commit.';

CREATE FUNCTION emit(p_account uuid, p_kind text, p_facts jsonb) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO jobs (account_id, kind, facts) VALUES (p_account, p_kind, p_facts);
$$;

-- How a function says no: the code of a refusal and its facts.  See plumbing/database.py.
CREATE FUNCTION refuse(p_code text, p_facts jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'MT001', MESSAGE = p_code, DETAIL = p_facts::text;
END $$;

-- Workers and web processes that make serials hold a number of their own for a while.
-- Global: it belongs to no account.
CREATE TABLE serial_leases (
    lease      smallint    CONSTRAINT serial_leases_pkey PRIMARY KEY,
    holder     uuid        NOT NULL,
    held_until timestamptz NOT NULL,
    CONSTRAINT lease_fits_the_serial CHECK (lease BETWEEN 0 AND 1022)
);
