-- Execute a paid order if possible, and return its state.  For an order of stamps, these are issued and the money is
-- executed.  For an order of documents, stamps are issued for them, and the money is executed as each is stamped.  The
-- money of an order of a deposit becomes the seller's deposit.
CREATE OR REPLACE FUNCTION order_execute(p_account uuid, p_order uuid) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_book text;
BEGIN
    SELECT * INTO v_order FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF v_order.state <> 'paid' OR stamps_are_issued(p_account, p_order) THEN
        RETURN v_order.state;
    END IF;
    IF v_order.kind = 'deposit' THEN
        INSERT INTO order_deposits (account_id, order_id, added) VALUES (p_account, p_order, v_order.total);
        PERFORM ledger_post(p_account, 'deposited:' || p_order, 'deposit_added', p_order,
            ARRAY['buyer_funds', 'deposits'], ARRAY[-v_order.total, v_order.total]);
        PERFORM emit(p_account, 'deposit_grew', jsonb_build_object('order', p_order));
        PERFORM order_close(p_account, p_order, 'executed');
        RETURN 'executed';
    END IF;
    v_book := CASE v_order.kind WHEN 'stamps' THEN 'stamps_available' ELSE 'stamps_ordered' END;
    IF NOT stamps_issue(p_account, p_order, v_book, v_order.quantity, v_order.unit_price,
                        v_order.service_fee) THEN
        RETURN 'paid';
    END IF;
    IF v_order.kind = 'documents' THEN
        PERFORM ledger_post(p_account, 'issued:' || p_order, 'stamps_issued', p_order,
            ARRAY['stamps_issued', v_book], ARRAY[-v_order.quantity, v_order.quantity]);
        PERFORM emit(p_account, 'order_paid', jsonb_build_object('order', p_order));
        RETURN 'paid';
    END IF;
    PERFORM ledger_post(p_account, 'issued:' || p_order, 'stamps_issued', p_order,
        ARRAY['stamps_issued', v_book, 'buyer_funds', 'duty_payable', 'service_fee'],
        ARRAY[-v_order.quantity, v_order.quantity, -v_order.total,
              v_order.quantity * v_order.unit_price, v_order.quantity * v_order.service_fee]);
    PERFORM order_close(p_account, p_order, 'executed');
    RETURN 'executed';
END $$;
