-- Results of the nightly comparison with the bank's own record.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE bank_nights (
    night        date        CONSTRAINT bank_nights_pkey PRIMARY KEY,  -- in WIB, when it began
    begins       timestamptz NOT NULL,  -- from when on both records are compared
    leased_until timestamptz NOT NULL,  -- one worker compares; after a fault it is tried again then
    tries        integer     NOT NULL DEFAULT 1,
    fault        text,                  -- why it could not be done, the last time
    compared_at  timestamptz,           -- until then it was not
    payments     integer     NOT NULL DEFAULT 0,
    differences  integer     NOT NULL DEFAULT 0,  -- of which unreadable lines are a part
    unreadable   integer     NOT NULL DEFAULT 0
);
