-- Resolve an open item.  Resolutions of an item with money in the book:
--   returned     the provider has given the money back to its payer
--   explained    the money is being captured for its order
--   applied      an operator named the order for which the money is captured
--   matched      the money is that of a payment in the books
--   written_off  the money is given up
-- Such an item cannot be dismissed; an item without money cannot be applied.  A difference is resolved as `explained` or
-- `matched` without an entry, or is booked: as a `fee` of the provider, by a settlement, or as `written_off`.
-- The item of an overdue refund ends only with the refund.
-- Answers:
--   resolved
--   known            the item was resolved before
--   unknown          there is no such item
--   money_is_booked  the item holds money, or holds none, so that this resolution is not allowed
--   contested        another open item is about the same payment, whose money may have gone back: it cannot be applied
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
    IF ((v_item.booked > 0 OR v_item.difference IS NOT NULL) AND p_resolution = 'dismissed')
        OR (v_item.booked = 0 AND p_resolution = 'applied')
        OR (v_item.difference IS NULL AND v_item.booked = 0 AND p_resolution = 'written_off')
        OR (p_resolution = 'fee' AND (v_item.difference IS NULL
            OR v_item.reason NOT IN ('fee_not_booked', 'tax_not_booked', 'line_unplaced', 'float_moved'))) THEN
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
            ARRAY['suspense', CASE p_resolution WHEN 'written_off' THEN 'written_off' ELSE 'bank_clearing' END],
            ARRAY[-v_item.booked, v_item.booked]);
    ELSIF v_item.difference IS NOT NULL AND break_book(v_item.reason, p_resolution) IS NOT NULL THEN
        PERFORM ledger_post('00000000-0000-0000-0000-000000000000', 'unsuspended:' || p_item,
            'break_' || p_resolution, p_item,
            ARRAY[break_account(v_item.item_key), break_book(v_item.reason, p_resolution)],
            ARRAY[-v_item.difference, v_item.difference]);
    END IF;
    RETURN 'resolved';
END $$;
