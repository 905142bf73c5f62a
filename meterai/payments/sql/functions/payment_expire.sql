-- Expire the open attempts of a subject, so that their instructions are not shown any more.
-- Public: orders, when an order expires.
CREATE OR REPLACE FUNCTION payment_expire(p_account uuid, p_subject uuid) RETURNS void
LANGUAGE sql AS $$
    UPDATE payment_attempts SET state = 'expired'
    WHERE account_id = p_account AND subject = p_subject AND state = 'waiting';
$$;
