-- Each item whose money is or was in the books, with the provider or account of its record, if it came from a record.
-- Public: finance, for its statement of a provider and its figures of fees.
CREATE OR REPLACE FUNCTION suspense_booked()
RETURNS TABLE (
    item_id uuid, provider text, payment text, reason text, resolution text, rupiah bigint, resolved_at timestamptz
)
LANGUAGE sql STABLE AS $$
    SELECT item_id, CASE WHEN starts_with(item_key, 'record:') THEN split_part(item_key, ':', 2) END, payment, reason,
        resolution, coalesce(difference, booked), resolved_at
    FROM suspense_items WHERE booked > 0 OR difference IS NOT NULL
$$;
