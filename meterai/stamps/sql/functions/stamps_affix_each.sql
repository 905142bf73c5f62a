-- Record that the stamps of stampings from the balance are on their documents.  Stampings already recorded are skipped.
-- Public: stamping, which delivered several documents.
CREATE OR REPLACE FUNCTION stamps_affix_each(p_account uuid, p_stampings uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_stampings uuid[] := ledger_resolve_each(p_account, p_stampings, 'stamps_available', 'posted');
    v_entries text[];
    v_subjects uuid[];
    v_amounts bigint[];
BEGIN
    IF v_stampings = '{}' THEN
        RETURN;
    END IF;
    SELECT array_agg('affixed:' || s.stamping_id), array_agg(s.stamping_id), array_agg(s.taken)
    INTO v_entries, v_subjects, v_amounts
    FROM (SELECT stamping_id, count(*) AS taken FROM stamps
          WHERE account_id = p_account AND stamping_id = ANY (v_stampings) AND state = 'reserved'
          GROUP BY stamping_id) AS s;
    PERFORM ledger_post_each(p_account, v_entries, 'stamps_affixed', v_subjects,
                             'stamps_available', 'stamps_affixed', v_amounts);
    PERFORM stamps_leave_hold_each(p_account, v_stampings, 'affixed');
END $$;
