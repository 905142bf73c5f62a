-- Returns the reason why a collector may not draw an amount now: 'closed', 'limit' (of the month), or 'deposit' (an
-- earlier month is not confirmed by its last day); null if it may. Draws stop from day `p_stop_day` of the next month
-- on, but not in the first `p_free_months` months of a collector. The caller has locked the row of the collector.
CREATE OR REPLACE FUNCTION credit_stops(p_account uuid, p_amount bigint, p_stop_day integer, p_free_months integer)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
    v_month date := credit_month(v_now);
    v_limit bigint;
    v_last date;  -- the newest month whose deposit must be confirmed
BEGIN
    SELECT t.limit_rupiah INTO v_limit FROM collectors c
    JOIN collector_terms t ON t.account_id = c.account_id AND t.terms_id = c.terms_id
    WHERE c.account_id = p_account AND c.state = 'open';
    IF NOT FOUND THEN
        RETURN 'closed';
    END IF;
    v_last := v_month - CASE WHEN extract(day FROM v_now AT TIME ZONE 'Asia/Jakarta') >= p_stop_day
                        THEN interval '1 month' ELSE interval '2 months' END;
    IF v_month >= (SELECT min(m.month) FROM collector_months m WHERE m.account_id = p_account)
                  + make_interval(months => p_free_months)
        AND EXISTS (SELECT 1 FROM collector_dues(p_account) d WHERE d.month <= v_last AND d.open > 0) THEN
        RETURN 'deposit';
    END IF;
    IF p_amount + coalesce((SELECT m.drawn - m.returned FROM collector_months m
                            WHERE m.account_id = p_account AND m.month = v_month), 0) > v_limit THEN
        RETURN 'limit';
    END IF;
    RETURN NULL;
END $$;
