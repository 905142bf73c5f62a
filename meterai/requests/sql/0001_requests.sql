-- What API keys asked for, in the words of their owner's log: kept for a month, and no part of the books.  Many rows are
-- written at once, a moment after their answers.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE api_requests (
    account_id      uuid        NOT NULL,
    entry_id        uuid        NOT NULL,  -- by the time at which it was written
    at              timestamptz NOT NULL,  -- when the request came
    request         text        NOT NULL,  -- its Request-Id
    key_id          uuid        NOT NULL,
    method          text        NOT NULL,
    route           text,  -- the template of its path; null where no route has it
    path            text        NOT NULL,  -- without the query
    status          smallint,  -- null where it was not answered
    code            text,  -- of a refusal
    milliseconds    integer     NOT NULL,
    idempotency_key text,
    bytes_in        bigint      NOT NULL,  -- as announced
    bytes_out       bigint      NOT NULL,
    CONSTRAINT api_requests_pkey PRIMARY KEY (account_id, entry_id)
);
CREATE INDEX api_requests_to_leave ON api_requests (at);
CREATE INDEX api_requests_by_request ON api_requests (request);
