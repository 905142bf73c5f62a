-- A job that was given up is found by its number.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE INDEX dead_jobs_by_id ON dead_jobs (job_id);
