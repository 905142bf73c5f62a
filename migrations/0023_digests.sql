-- What leaves after a time, or is a secret, leaves a digest that the audit compares: words of the bank,
-- sessions, API keys, addresses.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- What was told: it stays when the words are let go (meterai/apps/retention.py).  Null where they were
-- let go before today.
ALTER TABLE notification_inbox ADD COLUMN body_sha256 bytea;
UPDATE notification_inbox SET body_sha256 = sha256(body) WHERE body <> '';
ALTER TABLE suspense_items ADD COLUMN told_sha256 bytea;
UPDATE suspense_items SET told_sha256 = sha256(told) WHERE told <> '';

-- The same as before, and the digest of what was told.
CREATE OR REPLACE FUNCTION suspense_keep(
    p_item uuid, p_key text, p_source text, p_reason text, p_reference text, p_payment text,
    p_amount bigint, p_is_money boolean, p_told bytea, p_due_seconds double precision
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_known bigint;
BEGIN
    IF p_is_money THEN
        PERFORM payment_number_lock(p_payment);
        IF EXISTS (SELECT 1 FROM suspense_items
                   WHERE payment = p_payment AND booked > 0 AND item_key <> p_key) THEN
            RETURN suspense_keep(p_item, p_key || ':elsewhere', p_source, 'number_elsewhere',
                p_reference, p_payment, p_amount, false, p_told, p_due_seconds);
        END IF;
    END IF;
    INSERT INTO suspense_items (item_id, item_key, source, reason, reference, payment, amount,
                                booked, told, told_sha256, due_at)
    VALUES (p_item, p_key, p_source, p_reason, p_reference, p_payment, p_amount,
            CASE WHEN p_is_money THEN p_amount ELSE 0 END, p_told, sha256(p_told),
            now() + make_interval(secs => p_due_seconds))
    ON CONFLICT ON CONSTRAINT one_item_per_news DO NOTHING;
    IF FOUND THEN
        IF p_is_money THEN
            -- It is of no account, so it is under the nil account, and `suspense` is a sum of legs.
            PERFORM ledger_post('00000000-0000-0000-0000-000000000000', 'suspended:' || p_item,
                'money_suspended', p_item,
                ARRAY['bank_clearing', 'suspense'], ARRAY[-p_amount, p_amount]);
        END IF;
        RETURN true;
    END IF;
    UPDATE suspense_items SET told_at = now(), times_told = times_told + 1
    WHERE item_key = p_key
    RETURNING amount INTO v_known;
    IF v_known IS DISTINCT FROM p_amount THEN
        RETURN suspense_keep(p_item, p_key || ':' || coalesce(p_amount::text, 'none'), p_source,
            CASE WHEN p_is_money THEN 'amount_differs' ELSE p_reason END, p_reference, p_payment,
            p_amount, false, p_told, p_due_seconds);
    END IF;
    RETURN false;
END $$;

-- What a document was called: the digest is a fact, and without the salt, which leaves with the name,
-- nobody can try names on it.
ALTER TABLE documents ADD COLUMN name_salt uuid, ADD COLUMN name_seal bytea;
UPDATE documents SET name_salt = gen_random_uuid();
UPDATE documents SET name_seal = sha256(uuid_send(name_salt) || convert_to(name, 'UTF8'));

-- The same as before, and the digest of the name.
CREATE OR REPLACE FUNCTION document_keep(
    p_account uuid, p_sha256 bytea, p_name text, p_bytes integer, p_pages integer,
    p_kept_until timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_name text;
    v_salt uuid := gen_random_uuid();
BEGIN
    INSERT INTO documents (account_id, sha256, name, bytes, pages, kept_until, name_salt, name_seal)
    VALUES (p_account, p_sha256, p_name, p_bytes, p_pages, p_kept_until, v_salt,
            sha256(uuid_send(v_salt) || convert_to(p_name, 'UTF8')))
    ON CONFLICT ON CONSTRAINT documents_pkey DO UPDATE
    SET kept_until = greatest(documents.kept_until, excluded.kept_until), forgotten_at = NULL
    RETURNING documents.name INTO v_name;
    RETURN v_name;
END $$;

-- Whoever has an account, a session or a key today gets the line of the audit trail, with its digest,
-- that signing in and making a key write from now on.
INSERT INTO audit_events (account_id, actor, action, subject, facts)
SELECT account_id, 'operator', 'account_noted', 'acc_' || lower(compact(account_id)),
       jsonb_build_object('digest', encode(sha256(
           uuid_send(account_id) || convert_to(email, 'UTF8')), 'hex'))
FROM accounts;
INSERT INTO audit_events (account_id, actor, action, subject, facts)
SELECT account_id, 'operator', 'session_noted', 'ses_' || lower(compact(session_id)),
       jsonb_build_object('digest', encode(sha256(secret_hash), 'hex'), 'until', expires_at)
FROM sessions;
INSERT INTO audit_events (account_id, actor, action, subject, facts)
SELECT account_id, 'operator', 'api_key_noted', 'key_' || lower(compact(key_id)),
       jsonb_build_object('digest', encode(sha256(
           secret_hash || convert_to(name, 'UTF8')), 'hex'))
FROM api_keys;
