-- The id of the newest refund of a subject with this cause; null if there is none.
-- Public: refunds, to find an earlier request.
CREATE OR REPLACE FUNCTION refund_newest(p_account uuid, p_subject uuid, p_cause text) RETURNS uuid
LANGUAGE sql STABLE AS $$
    SELECT refund_id FROM refunds
    WHERE account_id = p_account AND order_id = p_subject AND cause = p_cause
    ORDER BY refund_id DESC LIMIT 1;
$$;
