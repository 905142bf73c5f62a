-- Returns every leg of a period with its day (WIB) and the channel of its order. A move of a deposit belongs to its
-- distributor. So does a fee that a buyer's account passes on, since its entry is about the seller. One SELECT, so that
-- the planner inlines it into the calling query.
CREATE OR REPLACE FUNCTION channel_lines(p_begin timestamptz, p_end timestamptz)
RETURNS TABLE (day date, channel text, seller_id uuid, reason text, book text, amount bigint)
LANGUAGE sql STABLE AS $$
    SELECT (l.posted_at AT TIME ZONE 'Asia/Jakarta')::date,
        CASE WHEN l.reason = ANY ('{deposit_taken,deposit_returned,fee_earned,fee_returned,fee_collected}') THEN 'deposit'
            WHEN l.reason = ANY ('{fee_passed_on,fee_called_back}') THEN 'distributor'
            ELSE coalesce(o.channel, 'none') END,
        coalesce(CASE WHEN l.reason = ANY ('{deposit_taken,deposit_returned,fee_earned,fee_returned,fee_collected}')
                THEN l.account_id
            WHEN l.reason = ANY ('{fee_passed_on,fee_called_back}') THEN l.subject
            ELSE o.seller_id END, '00000000-0000-0000-0000-000000000000'),
        l.reason, l.book, l.amount
    FROM ledger_lines(p_begin, p_end) l
    LEFT JOIN orders_by_channel() o ON o.account_id = l.account_id AND o.order_id = l.subject
$$;
