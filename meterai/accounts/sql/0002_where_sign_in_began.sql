-- Where a sign-in began: the link of its mail leads back there.  It stands here and not in the link,
-- so that nobody who sends a link on can have it lead elsewhere.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE sign_in_challenges
    ADD COLUMN leads_to text NOT NULL DEFAULT '/',
    ADD CONSTRAINT sign_in_leads_to_us CHECK (leads_to LIKE '/%' AND length(leads_to) <= 500);
DROP FUNCTION sign_in_ask(uuid, uuid, text, text, uuid, text, timestamptz, timestamptz,
                          integer, integer, integer);
