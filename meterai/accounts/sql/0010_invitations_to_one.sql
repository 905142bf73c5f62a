-- How many invitations one address was sent lately, by whichever organization.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE INDEX invitations_by_address ON invitations (email, made_at);
