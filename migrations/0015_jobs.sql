-- Each handler of a job by itself; what was given up is kept and seen.
--
-- A job is claimed by locking its row in the transaction that deletes it, so there is no lease and
-- a worker that dies holds nothing.  Workers of the version before lease by moving run_at forward,
-- which is respected; they run all handlers of a job again where one of several failed.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE jobs ADD COLUMN handlers text[];
COMMENT ON COLUMN jobs.handlers IS
    'Handlers that have not run yet; null: all that listen to this kind.';
-- For the alarm; a job is here only while it fails.
CREATE INDEX jobs_failing ON jobs (account_id) WHERE tries >= 3;

-- A handler that failed too often and may be given up: a mail that cannot be queued, never money.
CREATE TABLE dead_jobs (
    account_id uuid        NOT NULL,
    job_id     uuid        NOT NULL,
    handler    text        NOT NULL,
    kind       text        NOT NULL,
    facts      jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    died_at    timestamptz NOT NULL DEFAULT now(),
    tries      integer     NOT NULL,
    fault      text        NOT NULL,
    CONSTRAINT dead_jobs_pkey PRIMARY KEY (account_id, job_id, handler)
);
CREATE INDEX dead_jobs_to_leave ON dead_jobs (died_at);

ALTER TABLE mails ADD COLUMN last_fault text;
CREATE INDEX mails_given_up ON mails (account_id) WHERE state = 'given_up';
