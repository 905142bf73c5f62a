-- Record the seller of an order in the transaction that places it, with its part of the service fee in rupiah.
CREATE OR REPLACE FUNCTION order_note_seller(
    p_account uuid, p_order uuid, p_seller uuid, p_seller_name text, p_seller_fee bigint
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF p_seller = p_account THEN
        -- A fee has an entry in the buyer's and in the seller's account, and ids of entries are unique in an account.
        RAISE check_violation USING MESSAGE = 'nobody buys of themselves', CONSTRAINT = 'seller_is_another';
    END IF;
    INSERT INTO order_sellers (account_id, order_id, seller_id, seller, fee)
    VALUES (p_account, p_order, p_seller, p_seller_name, p_seller_fee);
    IF p_seller_fee > 0 THEN
        UPDATE orders SET seller_fee = p_seller_fee WHERE account_id = p_account AND order_id = p_order;
    END IF;
    RETURN true;
END $$;
