-- Closes a distributor: waiting sales end at once, and each emits an event that ends its order. Returns the number of
-- ended sales.
CREATE OR REPLACE FUNCTION distributor_close(p_account uuid) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_sale sales;
    v_now timestamptz := now();
    v_ended integer := 0;
BEGIN
    UPDATE distributors SET state = 'closing', closing_at = v_now WHERE account_id = p_account;
    FOR v_sale IN UPDATE sales SET state = 'ended', ended_at = v_now, end_cause = 'closed'
        WHERE account_id = p_account AND state = 'waiting' RETURNING * LOOP
        PERFORM emit(p_account, 'sale_closed', jsonb_build_object(
            'sale', v_sale.sale_id, 'buyer', v_sale.buyer_id, 'order', v_sale.order_id));
        v_ended := v_ended + 1;
    END LOOP;
    RETURN v_ended;
END $$;
