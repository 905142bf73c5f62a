-- Returns money of a sale to the deposit by the refund of its order, because it was not executed or its stamps were
-- returned. The same refund returns nothing twice. Returns the rupiah of the refund, or null if the sale has less left.
CREATE OR REPLACE FUNCTION deposit_return(p_account uuid, p_sale uuid, p_refund_no text, p_amount bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_sale sales;
    v_known bigint;
BEGIN
    PERFORM 1 FROM distributors WHERE account_id = p_account FOR UPDATE;
    SELECT amount INTO v_known FROM deposit_returns WHERE account_id = p_account AND refund_no = p_refund_no;
    IF FOUND THEN
        RETURN v_known;
    END IF;
    SELECT * INTO v_sale FROM sales WHERE account_id = p_account AND sale_id = p_sale;
    IF v_sale.state IS DISTINCT FROM 'taken' OR p_amount > sale_total(v_sale) - (
        SELECT coalesce(sum(amount), 0) FROM deposit_returns WHERE account_id = p_account AND sale_id = p_sale) THEN
        RETURN NULL;
    END IF;
    INSERT INTO deposit_returns (account_id, refund_no, sale_id, amount)
    VALUES (p_account, p_refund_no, p_sale, p_amount);
    PERFORM ledger_post(p_account, 'redeposited:' || p_refund_no, 'deposit_returned', p_sale,
                        ARRAY['bank_clearing', 'deposits'], ARRAY[-p_amount, p_amount]);
    PERFORM emit(p_account, 'deposit_grew', jsonb_build_object('order', NULL::uuid));
    RETURN p_amount;
END $$;
