-- The account of an address as it is kept; null where it has none.
-- Public: distribution, which sells to addresses.
CREATE OR REPLACE FUNCTION account_known(p_email text) RETURNS uuid
LANGUAGE sql STABLE AS $$
    SELECT account_id FROM email_directory WHERE email = p_email;
$$;
