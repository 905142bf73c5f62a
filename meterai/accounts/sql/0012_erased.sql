-- An account whose person was erased: a number that its orders and stamps keep.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE accounts
    ADD COLUMN erased_at timestamptz,
    ADD CONSTRAINT erased_account_has_no_address CHECK (erased_at IS NULL OR email IS NULL);
