-- Counts the legs since the last run, by channel. Legs older than `p_settled_seconds` are counted once for all, since
-- all entries of that time exist; younger ones are counted again in each run. Returns true if older entries are left:
-- one call counts `p_most_seconds` of them.
CREATE OR REPLACE FUNCTION channel_count(
    p_settled_seconds double precision, p_most_seconds double precision
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
    v_settled timestamptz := v_now - make_interval(secs => p_settled_seconds);
    v_since timestamptz;
    v_until timestamptz;
BEGIN
    -- Serializes the workers, so that no leg is counted twice.
    PERFORM pg_advisory_xact_lock(16240, 0);
    SELECT kept_until INTO v_since FROM channel_counts;
    IF NOT FOUND THEN
        v_since := ledger_begins();
        IF v_since IS NULL THEN
            RETURN false;
        END IF;
        INSERT INTO channel_counts (kept_until, counted_until) VALUES (v_since, v_since);
    END IF;
    v_until := greatest(v_since, least(v_settled, v_since + make_interval(secs => p_most_seconds)));
    INSERT INTO channel_sums AS s (day, channel, seller_id, reason, book, is_kept, entries, amount)
    SELECT l.day, l.channel, l.seller_id, l.reason, l.book, true, count(*), sum(l.amount)
    FROM channel_lines(v_since, v_until) l GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT ON CONSTRAINT channel_sums_pkey
        DO UPDATE SET entries = s.entries + excluded.entries, amount = s.amount + excluded.amount;
    DELETE FROM channel_sums WHERE NOT is_kept;
    IF v_until >= v_settled THEN
        INSERT INTO channel_sums (day, channel, seller_id, reason, book, is_kept, entries, amount)
        SELECT l.day, l.channel, l.seller_id, l.reason, l.book, false, count(*), sum(l.amount)
        FROM channel_lines(v_until, 'infinity') l GROUP BY 1, 2, 3, 4, 5;
    END IF;
    UPDATE channel_counts SET kept_until = v_until, counted_until = CASE WHEN v_until >= v_settled THEN v_now ELSE v_until END;
    RETURN v_until < v_settled;
END $$;
