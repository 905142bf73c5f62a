-- Delivers several stampings of one account: the n-th entry of each list belongs to the n-th stamping. Returns those
-- that this call delivered; another process delivered the others before.
CREATE OR REPLACE FUNCTION stampings_deliver(
    p_account uuid, p_stampings uuid[], p_deltas bytea[], p_delta_hashes bytea[], p_stamped_hashes bytea[]
) RETURNS SETOF uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_ours uuid[];
BEGIN
    SELECT array_agg(l.stamping_id ORDER BY l.stamping_id) INTO v_ours FROM (
        SELECT s.stamping_id FROM stampings s
        WHERE s.account_id = p_account AND s.stamping_id = ANY (p_stampings) AND s.state = 'reserved'
        ORDER BY s.stamping_id FOR UPDATE
    ) AS l;
    IF v_ours IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO deltas (account_id, stamping_id, sha256, delta)
    SELECT p_account, d.stamping, d.sha256, d.delta
    FROM unnest(p_stampings, p_deltas, p_delta_hashes) AS d (stamping, delta, sha256)
    WHERE d.stamping = ANY (v_ours);
    UPDATE stampings s SET state = 'delivered', sha256_stamped = d.sha256, delivered_at = now(), leased_until = NULL
    FROM unnest(p_stampings, p_stamped_hashes) AS d (stamping, sha256)
    WHERE s.account_id = p_account AND s.stamping_id = d.stamping AND s.stamping_id = ANY (v_ours);
    PERFORM stamps_affix_each(p_account, v_ours);
    PERFORM emit(p_account, 'stampings_delivered', jsonb_build_object('stampings', v_ours));
    RETURN QUERY SELECT unnest(v_ours);
END $$;
