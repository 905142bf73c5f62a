-- Say how an open item ended.  Money in the book leaves it as `returned` (the provider has given it
-- back to its payer), as `explained` (it is being captured for its order) or as `applied` (the same, as an
-- operator says), and is never dismissed.  Without money nothing is applied.
-- A refund that is overdue ends by nothing but its own end.
-- Money of a payment of which something else is open is applied by nobody: it may have gone back.
-- Answers 'contested' then, 'resolved', 'known' (it was resolved before), 'unknown', or 'money_is_booked' (or none is).
CREATE OR REPLACE FUNCTION suspense_resolve(p_item uuid, p_resolution text, p_by text, p_note text)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_item suspense_items;
BEGIN
    SELECT * INTO v_item FROM suspense_items WHERE item_id = p_item FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown';
    END IF;
    IF v_item.state = 'resolved' THEN
        RETURN 'known';
    END IF;
    IF (v_item.booked > 0 AND p_resolution = 'dismissed')
        OR (v_item.booked = 0 AND p_resolution = 'applied') THEN
        RETURN 'money_is_booked';
    END IF;
    IF p_resolution = 'applied' AND EXISTS (
        SELECT 1 FROM suspense_items WHERE payment = v_item.payment AND item_id <> p_item
            AND state = 'open') THEN
        RETURN 'contested';
    END IF;
    IF v_item.reason = 'refund_overdue' AND p_by <> 'payments' THEN
        RETURN 'money_is_booked';
    END IF;
    UPDATE suspense_items SET state = 'resolved', resolved_at = now(), resolution = p_resolution,
        resolved_by = p_by, note = p_note
    WHERE item_id = p_item;
    IF v_item.booked > 0 THEN
        PERFORM ledger_post('00000000-0000-0000-0000-000000000000', 'unsuspended:' || p_item,
            'suspense_' || p_resolution, p_item,
            ARRAY['suspense', 'bank_clearing'], ARRAY[-v_item.booked, v_item.booked]);
    END IF;
    RETURN 'resolved';
END $$;
