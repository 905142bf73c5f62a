-- Add a file, announced or whole, to a draft, which is created if there is a token.  Returns no row if the draft
-- was ordered since it was read, or became an account's.
-- Refuses `network_full`, `draft_full` and `draft_too_large`.
CREATE OR REPLACE FUNCTION draft_file_add(
    p_draft uuid, p_token_hash bytea, p_owner uuid, p_networks text[], p_drafts_max integer[], p_order_key text,
    p_created_at timestamptz, p_until timestamptz, p_files_max integer, p_bytes_max bigint,
    p_file uuid, p_name text, p_sent integer, p_size integer, p_digest bytea, p_state text, p_parts uuid[], p_leased_until timestamptz,
    p_examinations integer, p_content uuid, p_sha256 bytea, p_pages integer, p_sizes jsonb, p_is_stamped boolean,
    p_refusal text, p_refusal_facts jsonb, p_at timestamptz
) RETURNS SETOF draft_files
LANGUAGE plpgsql AS $$
DECLARE
    v_files bigint;
    v_bytes bigint;
BEGIN
    IF p_token_hash IS NOT NULL THEN
        FOR v_at IN 1 .. CASE WHEN p_owner IS NULL THEN cardinality(p_networks) ELSE 0 END LOOP
            IF (SELECT count(*) FROM drafts
                WHERE (network = p_networks[v_at] OR widest = p_networks[v_at]) AND owner_id IS NULL AND NOT is_done
               ) >= p_drafts_max[v_at] THEN
                PERFORM refuse('network_full');
            END IF;
        END LOOP;
        INSERT INTO drafts (draft_id, token_hash, owner_id, network, widest, order_key, created_at, expires_at)
        VALUES (p_draft, p_token_hash, p_owner, p_networks[1], p_networks[cardinality(p_networks)], p_order_key,
                p_created_at, p_until);
    ELSE
        -- This lock makes additions, orders and adoptions of one draft wait for each other.
        PERFORM 1 FROM drafts WHERE draft_id = p_draft AND NOT is_done AND owner_id IS NOT DISTINCT FROM p_owner
        FOR UPDATE;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        SELECT count(*), coalesce(sum(received) FILTER (WHERE state NOT IN ('refused', 'ordered')), 0)
        INTO v_files, v_bytes FROM draft_files WHERE draft_id = p_draft;
        IF v_files >= p_files_max THEN
            PERFORM refuse('draft_full', jsonb_build_object('files_max', p_files_max));
        ELSIF v_bytes + p_sent > p_bytes_max THEN
            PERFORM refuse('draft_too_large', jsonb_build_object('sum_bytes', p_bytes_max));
        END IF;
        UPDATE drafts SET expires_at = greatest(expires_at, p_until) WHERE draft_id = p_draft;
    END IF;
    RETURN QUERY INSERT INTO draft_files (
        draft_id, file_id, name, bytes, received, digest, state, parts, leased_until, examinations, content_id, sha256,
        pages, sizes, is_stamped, refusal, refusal_facts, added_at, last_part_at)
    VALUES (p_draft, p_file, p_name, p_size, CASE WHEN p_state = 'receiving' THEN 0 ELSE p_size END, p_digest, p_state, p_parts, p_leased_until, p_examinations,
            p_content, p_sha256, p_pages, p_sizes, p_is_stamped, p_refusal, p_refusal_facts, p_at, p_at)
    RETURNING *;
END $$;
