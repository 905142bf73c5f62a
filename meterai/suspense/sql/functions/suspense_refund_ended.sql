-- Resolve the item of an overdue refund that has ended.
-- Public: payments, when a refund ends.
CREATE OR REPLACE FUNCTION suspense_refund_ended(p_refund_no text, p_how text) RETURNS void
LANGUAGE sql AS $$
    SELECT suspense_resolve(item_id, 'explained', 'payments', p_how) FROM suspense_items
    WHERE item_key = 'refund_overdue:' || p_refund_no AND state = 'open';
$$;
