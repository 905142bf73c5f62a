-- Return the account of a normalized address; null if it has none.
-- Public: distribution, which sells to addresses.
CREATE OR REPLACE FUNCTION account_known(p_email text) RETURNS uuid
LANGUAGE sql STABLE AS $$
    SELECT account_id FROM email_directory WHERE email = p_email;
$$;
