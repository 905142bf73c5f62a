-- Returns distributors with their current terms, for the rooms above. The planner inlines the query.
-- Public: finance, whose figures are by region.
CREATE OR REPLACE FUNCTION distributors_told()
RETURNS TABLE (account_id uuid, seller text, region text, state text)
LANGUAGE sql STABLE AS $$
    SELECT d.account_id, t.seller, t.region, d.state FROM distributors d
    JOIN distributor_terms t ON t.account_id = d.account_id AND t.terms_id = d.terms_id
$$;
