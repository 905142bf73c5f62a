-- An erasure finds every mail to an address, whosever it is.
-- On a table of many rows an operator makes the index before, with CONCURRENTLY and the same name: then it is there.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE INDEX IF NOT EXISTS mails_by_recipient ON mails (recipient) WHERE recipient <> '';
