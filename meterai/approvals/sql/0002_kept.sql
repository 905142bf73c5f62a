-- Arguments and forecast of a request do not change; once it is decided retention blanks both.  The application may
-- not write kept_sha256 again.  NULL: asked for by a process of the version before.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE approvals
    ADD COLUMN kept_sha256 bytea,
    ADD CONSTRAINT approval_stays_as_asked CHECK (kept_sha256 IS NULL
        OR kept_sha256 = sha256(convert_to(arguments::text || forecast::text, 'UTF8'))
        OR (arguments = '{}' AND forecast = '{}' AND state <> 'waiting'));
