-- What the rounds of retention look for (meterai/apps/retention.py), so that a round that finds
-- nothing reads nothing.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE INDEX sign_in_challenges_to_leave ON sign_in_challenges (created_at);
CREATE INDEX sessions_to_leave ON sessions ((coalesce(ended_at, expires_at)));
CREATE INDEX api_keys_to_leave ON api_keys (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX mails_to_leave ON mails (queued_at)
    WHERE state <> 'queued' AND template = 'sign_in_code';
CREATE INDEX mails_to_blank ON mails (queued_at)
    WHERE state <> 'queued' AND recipient <> '' AND template <> 'sign_in_code';
CREATE INDEX notification_inbox_to_blank ON notification_inbox (received_at)
    WHERE outcome IS NOT NULL AND body <> '';
CREATE INDEX suspense_items_to_blank ON suspense_items (resolved_at)
    WHERE state = 'resolved' AND told <> '';
CREATE INDEX documents_to_unname ON documents (forgotten_at)
    WHERE forgotten_at IS NOT NULL AND name <> 'dokumen.pdf';
