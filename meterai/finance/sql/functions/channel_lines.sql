-- Every leg of a time with its day (WIB) and the channel of its order.  What moves a deposit is of its distributor, and so is
-- a fee that a buyer's account passes on: its entry is about the seller.  One SELECT, so that it is planned within the query
-- that asks.
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
