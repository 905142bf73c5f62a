-- Returns the open duty of each month of a collector, the oldest first: drawn less returned less deposited. Returns
-- after the deposit of a month reduce the months after it; `surplus` is the rupiah of such returns left for them.
CREATE OR REPLACE FUNCTION collector_dues(p_account uuid)
RETURNS TABLE (month date, drawn bigint, returned bigint, deposited bigint, open bigint, surplus bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_month collector_months;
    v_surplus bigint := 0;
    v_net bigint;
BEGIN
    FOR v_month IN SELECT * FROM collector_months m WHERE m.account_id = p_account ORDER BY m.month LOOP
        v_net := v_month.drawn - v_month.returned - v_month.deposited - v_surplus;
        v_surplus := greatest(-v_net, 0);
        RETURN QUERY SELECT v_month.month, v_month.drawn, v_month.returned, v_month.deposited, greatest(v_net, 0), v_surplus;
    END LOOP;
END $$;
