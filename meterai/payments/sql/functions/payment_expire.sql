-- Expire the open attempts of a subject: their instructions are not shown any more.
-- Public: orders, whose time to pay ran out.
CREATE OR REPLACE FUNCTION payment_expire(p_account uuid, p_subject uuid) RETURNS void
LANGUAGE sql AS $$
    UPDATE payment_attempts SET state = 'expired'
    WHERE account_id = p_account AND subject = p_subject AND state = 'waiting';
$$;
