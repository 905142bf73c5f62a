-- Somebody is entered, and it is told.
CREATE OR REPLACE FUNCTION guest_enter(p_account uuid, p_guest uuid, p_name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO guests (account_id, guest_id, name) VALUES (p_account, p_guest, p_name);
    PERFORM emit(p_account, 'guest_entered', jsonb_build_object('guest', p_guest));
END $$;
