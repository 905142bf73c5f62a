-- Opens or changes the sales page of a distributor. A name belongs to one sales page permanently; a distributor may use
-- `p_names_max` names in total. Returns 'set', 'taken' or 'spent'. Refuses 'seller_not_open'.
CREATE OR REPLACE FUNCTION shop_set(
    p_account uuid, p_slug text, p_colour text, p_terms text, p_at timestamptz, p_names_max integer
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
    v_owner uuid;
BEGIN
    SELECT state INTO v_state FROM distributors WHERE account_id = p_account FOR UPDATE;
    IF v_state IS NULL OR v_state NOT IN ('approved', 'open') THEN
        PERFORM refuse('seller_not_open', jsonb_build_object('state', coalesce(v_state, 'none')));
    END IF;
    -- Of two requests for the same name, the second waits here and reads the owner.
    INSERT INTO shop_names (slug, account_id) VALUES (p_slug, p_account)
    ON CONFLICT ON CONSTRAINT shop_names_pkey DO NOTHING;
    SELECT account_id INTO v_owner FROM shop_names WHERE slug = p_slug;
    IF v_owner <> p_account THEN
        RETURN 'taken';
    END IF;
    IF (SELECT count(*) FROM shop_names WHERE account_id = p_account) > p_names_max THEN
        RETURN 'spent';
    END IF;
    INSERT INTO shops (account_id, slug, colour, terms, set_at) VALUES (p_account, p_slug, p_colour, p_terms, p_at)
    ON CONFLICT ON CONSTRAINT shops_pkey DO UPDATE SET slug = excluded.slug, colour = excluded.colour,
        terms = excluded.terms, set_at = excluded.set_at;
    RETURN 'set';
END $$;
