-- Insert the row of a document with the salted digest of its name, or keep an existing document longer; return its name.
-- Public: stamping, which keeps a document when its stamping is requested.
CREATE OR REPLACE FUNCTION document_keep(
    p_account uuid, p_sha256 bytea, p_name text, p_bytes integer, p_pages integer,
    p_kept_until timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_name text;
    v_salt uuid := gen_random_uuid();
BEGIN
    INSERT INTO documents (account_id, sha256, name, bytes, pages, kept_until, name_salt, name_seal)
    VALUES (p_account, p_sha256, p_name, p_bytes, p_pages, p_kept_until, v_salt,
            sha256(uuid_send(v_salt) || convert_to(p_name, 'UTF8')))
    ON CONFLICT ON CONSTRAINT documents_pkey DO UPDATE
    SET kept_until = greatest(documents.kept_until, excluded.kept_until), forgotten_at = NULL
    RETURNING documents.name INTO v_name;
    RETURN v_name;
END $$;
