-- How the installation went, minute by minute, for the page of live numbers.  The row without a source has what the
-- database says of the whole installation; the others have what the processes of one machine count together.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE console_samples (
    at      timestamptz NOT NULL,  -- the end of the minute
    source  text        NOT NULL,
    figures jsonb       NOT NULL,
    CONSTRAINT console_samples_pkey PRIMARY KEY (source, at)
);
CREATE INDEX console_samples_to_leave ON console_samples (at);
