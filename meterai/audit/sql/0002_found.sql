-- The trail is read by account, by what it is about, and by the request that acted.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE INDEX IF NOT EXISTS audit_events_of_account ON audit_events (account_id, happened_at);
CREATE INDEX IF NOT EXISTS audit_events_of_subject ON audit_events (account_id, subject, happened_at);
CREATE INDEX IF NOT EXISTS audit_events_by_request ON audit_events ((facts->>'request')) WHERE facts ? 'request';
