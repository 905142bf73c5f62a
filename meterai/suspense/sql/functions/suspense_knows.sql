-- True if an item with this key is open or was resolved.
-- Public: payments and reconciliation, which keep such an item once.
CREATE OR REPLACE FUNCTION suspense_knows(p_key text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM suspense_items WHERE item_key = p_key);
$$;
