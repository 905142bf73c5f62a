-- Places an order of documents: stores the documents, places the order (`order_place_by_method`, whose parameters come
-- first), and inserts a waiting stamping for each document. `p_documents` is a list of objects in the order of the request,
-- with hashes in hex. `p_agreed` are hashes of documents to stamp although they were stamped before. If any other
-- document was stamped before, nothing is placed and no row is returned.
CREATE OR REPLACE FUNCTION stampings_order(
    p_account uuid, p_order uuid, p_key text, p_request bytea, p_kind text, p_quantity integer,
    p_price bigint, p_fee bigint, p_lapses_seconds double precision,
    p_due_seconds double precision, p_attempt uuid, p_reference text,
    p_lease_seconds double precision, p_unpaid_max integer, p_provider text, p_method text,
    p_documents jsonb, p_agreed text[]
) RETURNS TABLE (created boolean, id uuid, request bytea, placed timestamptz, lapses timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    v_document record;
BEGIN
    -- Documents are locked in the order of their hashes: of two requests one waits here, without a deadlock.
    FOR v_document IN
        SELECT decode(d.sha256, 'hex') AS sha256, d.name, d.bytes, d.pages, d.kept_until
        FROM jsonb_to_recordset(p_documents) AS d (
            sha256 text, name text, bytes integer, pages integer, kept_until timestamptz)
        ORDER BY decode(d.sha256, 'hex')
    LOOP
        PERFORM document_keep(p_account, v_document.sha256, v_document.name, v_document.bytes,
                              v_document.pages, v_document.kept_until);
    END LOOP;
    IF EXISTS (
        SELECT 1 FROM jsonb_to_recordset(p_documents) AS d (sha256 text)
        JOIN stampings s ON s.account_id = p_account AND s.sha256_original = decode(d.sha256, 'hex')
        LEFT JOIN orders_told() o ON o.account_id = s.account_id AND o.order_id = s.order_id
        WHERE d.sha256 <> ALL (p_agreed)
            AND (s.state IN ('reserved', 'delivered')
                 OR (s.state = 'waiting' AND o.state IN ('placed', 'paid')))
    ) AND NOT EXISTS (
        SELECT 1 FROM orders_told() o WHERE o.account_id = p_account AND o.idempotency_key = p_key
    ) THEN
        RETURN;
    END IF;
    SELECT o.* INTO created, id, request, placed, lapses FROM order_place_by_method(
        p_account, p_order, p_key, p_request, p_kind, p_quantity, p_price, p_fee, p_lapses_seconds,
        p_due_seconds, p_attempt, p_reference, p_lease_seconds, p_unpaid_max, p_provider, p_method) o;
    IF created THEN
        INSERT INTO stampings (account_id, stamping_id, order_id, position, idempotency_key, request_hash,
                               sha256_original, placements, quantity, is_repaired, state)
        SELECT p_account, d.stamping, id, e.place, id || ':' || e.place, decode(d.request, 'hex'),
               decode(d.sha256, 'hex'), d.placements, jsonb_array_length(d.placements), d.is_repaired, 'waiting'
        FROM jsonb_array_elements(p_documents) WITH ORDINALITY AS e (one, place),
            jsonb_to_record(e.one) AS d (
                stamping uuid, request text, sha256 text, placements jsonb, is_repaired boolean);
    END IF;
    RETURN NEXT;
END $$;
