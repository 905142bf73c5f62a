-- Posts a sale that the deposit pays. The buyer's order gets the money when it follows.
CREATE OR REPLACE FUNCTION sale_post(p_sale sales) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_total bigint := sale_total(p_sale);
BEGIN
    PERFORM ledger_post(p_sale.account_id, 'taken:' || p_sale.sale_id, 'deposit_taken', p_sale.sale_id,
                        ARRAY['bank_clearing', 'deposits'], ARRAY[v_total, -v_total]);
END $$;
