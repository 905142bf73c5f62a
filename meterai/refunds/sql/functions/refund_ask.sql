-- Request the refund of the unused stamps of an order.  Answers the number of stamps given back, the id of the refund, and the
-- digest of the request of its key.  If the key was used before, or no stamp is left, the refund is the one requested before,
-- and 0 stamps are given back; no row if there is no such refund.  `p_key` is null for a request by the form of an order.
-- Refuses `idempotency_key_reused` if the key was used concurrently for another order.
CREATE OR REPLACE FUNCTION refund_ask(
    p_account uuid, p_order uuid, p_refund uuid, p_refund_no text, p_due_at timestamptz,
    p_key text, p_request bytea
) RETURNS TABLE (given integer, id uuid, request bytea)
LANGUAGE plpgsql AS $$
BEGIN
    -- Requests of one order are processed one after another, so that a later one finds the key of an earlier one.
    PERFORM order_lock(p_account, p_order);
    RETURN QUERY SELECT 0, k.refund_id, k.request_hash FROM refund_keys k
    WHERE k.account_id = p_account AND k.idempotency_key = p_key;
    IF FOUND THEN
        RETURN;
    END IF;
    given := order_return_unused(p_account, p_order, p_refund, 'asked:' || p_refund, 'asked', p_refund_no,
                                 p_due_at);
    id := p_refund;
    request := p_request;
    IF given = 0 THEN
        id := refund_newest(p_account, p_order, 'asked');
        IF id IS NULL THEN
            RETURN;
        END IF;
    END IF;
    IF p_key IS NOT NULL THEN
        INSERT INTO refund_keys (account_id, idempotency_key, request_hash, refund_id)
        VALUES (p_account, p_key, p_request, id)
        ON CONFLICT ON CONSTRAINT refund_keys_pkey DO NOTHING;
        IF NOT FOUND THEN
            PERFORM refuse('idempotency_key_reused');
        END IF;
    END IF;
    RETURN NEXT;
END $$;
