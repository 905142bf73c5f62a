-- Returns the rupiah of a deposit that a reseller sold on the day (WIB) of a moment: of waiting and paid sales, without
-- regard to returns.
CREATE OR REPLACE FUNCTION reseller_sold(p_account uuid, p_reseller uuid, p_at timestamptz) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(sale_total(s)), 0)::bigint FROM sales s
    WHERE s.account_id = p_account AND s.reseller_id = p_reseller AND s.state <> 'ended'
        AND s.made_at >= date_trunc('day', p_at AT TIME ZONE 'Asia/Jakarta') AT TIME ZONE 'Asia/Jakarta';
$$;
