-- Turn the unused deposit of an order into money of the buyer again, `p_most` rupiah at most.  `p_reason` is
-- 'deposit_withdrawn' if it is returned to the seller, 'deposit_recovered' if its payment was charged back.  Returns the
-- amount in rupiah.
CREATE OR REPLACE FUNCTION order_deposit_undo(
    p_account uuid, p_order uuid, p_most bigint, p_reason text, p_entry text
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_free bigint;
BEGIN
    PERFORM ledger_lock(p_account);
    SELECT least(added - withdrawn, p_most, ledger_free(p_account, 'deposits')) INTO v_free
    FROM order_deposits WHERE account_id = p_account AND order_id = p_order;
    IF coalesce(v_free, 0) <= 0 THEN
        RETURN 0;
    END IF;
    UPDATE order_deposits SET withdrawn = withdrawn + v_free
    WHERE account_id = p_account AND order_id = p_order;
    PERFORM ledger_post(p_account, p_entry, p_reason, p_order,
                        ARRAY['deposits', 'buyer_funds'], ARRAY[-v_free, v_free]);
    RETURN v_free;
END $$;
