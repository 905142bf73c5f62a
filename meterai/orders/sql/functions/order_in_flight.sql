-- Rupiah of an order that are neither executed nor back.
-- Public: refunds, which ends an order when nothing of it is on its way.
CREATE OR REPLACE FUNCTION order_in_flight(p_account uuid, p_order uuid) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(l.credit - l.debit), 0)::bigint
    FROM entries e JOIN legs l USING (account_id, entry_id)
    WHERE e.account_id = p_account AND e.subject = p_order
        AND l.book IN ('buyer_funds', 'refunds_payable');
$$;
