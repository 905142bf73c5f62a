-- Pays waiting sales from the deposit, strictly the oldest first, at most `p_most`. Emits the event again if more could
-- be paid. Returns their number.
CREATE OR REPLACE FUNCTION sale_take_waiting(p_account uuid, p_most integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_seller text;
    v_sale sales;
    v_now timestamptz := now();
    v_taken integer := 0;
BEGIN
    SELECT t.seller INTO v_seller FROM distributors d
    JOIN distributor_terms t ON t.account_id = d.account_id AND t.terms_id = d.terms_id
    WHERE d.account_id = p_account FOR UPDATE OF d;
    PERFORM order_recover_deposits(p_account);
    PERFORM fee_collect(p_account);
    LOOP
        SELECT * INTO v_sale FROM sales WHERE account_id = p_account AND state = 'waiting' AND waits_until > v_now
        ORDER BY sale_id LIMIT 1;
        EXIT WHEN NOT FOUND OR coalesce(ledger_free(p_account, 'deposits'), 0) < sale_total(v_sale);
        IF v_taken = p_most THEN
            PERFORM emit(p_account, 'deposit_grew', jsonb_build_object('order', NULL::uuid));
            EXIT;
        END IF;
        UPDATE sales SET state = 'taken', taken_at = v_now
        WHERE account_id = p_account AND sale_id = v_sale.sale_id RETURNING * INTO v_sale;
        PERFORM sale_post(v_sale);
        PERFORM sale_tell(v_sale, v_seller);
        v_taken := v_taken + 1;
    END LOOP;
    RETURN v_taken;
END $$;
