-- Close the open attempts of a subject: an attempt with instructions becomes 'cancelled', an attempt whose instructions may
-- just be made by a call becomes 'lost'.  The periodic task cancels both at the provider.
CREATE OR REPLACE FUNCTION payment_close(p_account uuid, p_subject uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_soon timestamptz := now() + make_interval(secs => 5);
BEGIN
    UPDATE payment_attempts SET state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE 'lost' END,
        ask_at = least(ask_at, v_soon), ask_rank = 1
    WHERE account_id = p_account AND subject = p_subject AND state IN ('opening', 'waiting');
END $$;
