-- Return the accounts of organizations; the planner inlines the query.
-- Public: orders, which counts orders by channel.
CREATE OR REPLACE FUNCTION organizations_told() RETURNS TABLE (account_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT o.account_id FROM organizations o;
$$;
