-- Rupiah of one order that are neither executed nor refunded.
-- Public: orders, for its orders.
CREATE OR REPLACE FUNCTION ledger_in_flight(p_account uuid, p_subject uuid) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(l.credit - l.debit), 0)::bigint
    FROM entries e JOIN legs l USING (account_id, entry_id)
    WHERE e.account_id = p_account AND e.subject = p_subject
        AND l.book IN ('buyer_funds', 'refunds_payable');
$$;
