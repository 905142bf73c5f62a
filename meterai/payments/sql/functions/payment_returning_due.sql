-- By when what goes back of a subject is to be back; null where nothing does.
-- Public: orders, which says so to its buyer.
CREATE OR REPLACE FUNCTION payment_returning_due(p_account uuid, p_subject uuid) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT max(due_at) FROM refunds WHERE account_id = p_account AND order_id = p_subject
        AND refund_is_open(state);
$$;
