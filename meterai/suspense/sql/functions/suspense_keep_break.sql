-- Keep a difference between a record and the books as an item, once: a repeated difference is the same item, or a new item if
-- the first was explained before.  Money whose receipt is certain goes into the book `suspense`, as in suspense_keep.
-- Answers true if the item is new.
CREATE OR REPLACE FUNCTION suspense_keep_break(
    p_item uuid, p_key text, p_reason text, p_reference text, p_payment text, p_amount bigint,
    p_is_money boolean, p_difference bigint, p_told bytea, p_due_seconds double precision
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_explained bigint;
    v_key text := p_key;
BEGIN
    SELECT count(*) INTO v_explained FROM suspense_items
    WHERE payment IS NOT DISTINCT FROM p_payment AND source = 'record' AND resolution = 'explained'
        AND (item_key = p_key OR starts_with(item_key, p_key || '#'));
    IF v_explained > 0 THEN
        v_key := p_key || '#' || v_explained;
    END IF;
    IF p_is_money THEN
        RETURN suspense_keep(p_item, v_key, 'record', p_reason, p_reference, p_payment, p_amount, true,
            p_told, p_due_seconds);
    END IF;
    INSERT INTO suspense_items (item_id, item_key, source, reason, reference, payment, amount,
                                difference, told, told_sha256, due_at)
    VALUES (p_item, v_key, 'record', p_reason, p_reference, p_payment, p_amount, p_difference, p_told,
            sha256(p_told), now() + make_interval(secs => p_due_seconds))
    ON CONFLICT ON CONSTRAINT one_item_per_news DO NOTHING;
    IF FOUND THEN
        RETURN true;
    END IF;
    UPDATE suspense_items SET told_at = now(), times_told = times_told + 1 WHERE item_key = v_key;
    -- The same subject with another sum is a new difference.
    IF EXISTS (SELECT 1 FROM suspense_items WHERE item_key = v_key AND source = 'record'
               AND (difference IS DISTINCT FROM p_difference OR amount IS DISTINCT FROM p_amount)) THEN
        RETURN suspense_keep_break(p_item, p_key || ':' || coalesce(p_difference, p_amount, 0), p_reason,
            p_reference, p_payment, p_amount, false, p_difference, p_told, p_due_seconds);
    END IF;
    RETURN false;
END $$;
