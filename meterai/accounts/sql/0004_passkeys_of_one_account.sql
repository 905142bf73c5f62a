-- Which account a credential is of: one authenticator's number opens one account, whoever registers it.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE passkey_directory (
    credential_id bytea NOT NULL,
    account_id    uuid  NOT NULL,
    CONSTRAINT passkey_directory_pkey PRIMARY KEY (credential_id)
);
INSERT INTO passkey_directory (credential_id, account_id)
SELECT credential_id, account_id FROM passkeys WHERE ended_at IS NULL ORDER BY made_at
ON CONFLICT ON CONSTRAINT passkey_directory_pkey DO NOTHING;
