-- The latest due time of the open refunds of a subject; null if no refund is open.
-- Public: orders, which shows this time to the buyer.
CREATE OR REPLACE FUNCTION payment_returning_due(p_account uuid, p_subject uuid) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT max(due_at) FROM refunds WHERE account_id = p_account AND order_id = p_subject
        AND refund_is_open(state);
$$;
