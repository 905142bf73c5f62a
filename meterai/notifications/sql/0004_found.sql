-- Mails that do not leave are listed, and one that was given up is found by its number.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE INDEX IF NOT EXISTS mails_not_sent ON mails (queued_at) WHERE state <> 'sent';
CREATE INDEX IF NOT EXISTS mails_given_up_by_id ON mails (mail_id) WHERE state = 'given_up';
