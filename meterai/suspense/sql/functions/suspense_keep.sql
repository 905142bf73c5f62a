-- Keep news as an item, once, with the digest of its body; its money, if its receipt is certain, goes into the book `suspense`.
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
            -- The money belongs to no account, so that its entry is under the nil account; `suspense` is a sum of legs.
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
