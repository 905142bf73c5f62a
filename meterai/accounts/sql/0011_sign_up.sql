-- Whether an address without an account gets one.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE sign_up (
    only_row   boolean     NOT NULL DEFAULT true CONSTRAINT sign_up_pkey PRIMARY KEY,
    is_open    boolean     NOT NULL DEFAULT true,
    changed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sign_up_has_one_row CHECK (only_row)
);
INSERT INTO sign_up DEFAULT VALUES;
