-- Emits the state and the seller of a sale for the buyer's side, with everything needed there, so that it does not read
-- the seller's rows. `p_seller` is the name of the distributor.
CREATE OR REPLACE FUNCTION sale_tell(p_sale sales, p_seller text) RETURNS void
LANGUAGE sql AS $$
    SELECT emit(p_sale.account_id, 'sale_moved', jsonb_build_object(
        'sale', p_sale.sale_id, 'seller', sale_seller(p_sale, p_seller), 'buyer', p_sale.buyer_id,
        'order', p_sale.order_id, 'attempt', p_sale.attempt_id, 'quantity', p_sale.quantity, 'unit_price', p_sale.unit_price,
        'service_fee', p_sale.service_fee, 'due_seconds', p_sale.due_seconds,
        'waits_until', p_sale.waits_until, 'is_taken', p_sale.state = 'taken'));
$$;
