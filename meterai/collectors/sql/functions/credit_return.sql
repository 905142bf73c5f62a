-- Returns money of a draw by the refund of its order, because it was not executed or its stamps were returned: the
-- collector no longer owes it. The same refund returns nothing twice. Returns the rupiah of the refund, or null if the
-- draw has less left.
CREATE OR REPLACE FUNCTION credit_return(p_account uuid, p_draw uuid, p_refund_no text, p_amount bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_draw credit_draws;
    v_known bigint;
BEGIN
    PERFORM 1 FROM collectors WHERE account_id = p_account FOR UPDATE;
    SELECT amount INTO v_known FROM credit_returns WHERE account_id = p_account AND refund_no = p_refund_no;
    IF FOUND THEN
        RETURN v_known;
    END IF;
    SELECT * INTO v_draw FROM credit_draws WHERE account_id = p_account AND draw_id = p_draw;
    IF v_draw.state IS DISTINCT FROM 'taken' OR p_amount > v_draw.amount - (
        SELECT coalesce(sum(amount), 0) FROM credit_returns WHERE account_id = p_account AND draw_id = p_draw) THEN
        RETURN NULL;
    END IF;
    INSERT INTO credit_returns (account_id, refund_no, draw_id, amount)
    VALUES (p_account, p_refund_no, p_draw, p_amount);
    UPDATE collector_months SET returned = returned + p_amount WHERE account_id = p_account AND month = v_draw.month;
    PERFORM ledger_post(p_account, 'undrawn:' || p_refund_no, 'credit_returned', p_draw,
                        ARRAY['bank_clearing', 'collectors_due'], ARRAY[-p_amount, p_amount]);
    RETURN p_amount;
END $$;
