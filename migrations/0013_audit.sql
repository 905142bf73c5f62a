-- What the audit remembers of itself, and what it needs to look things up quickly.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- The 26 characters of an identifier, as kit/ids.py writes them: for comparing what was told to
-- others (references, refund numbers, subjects of the audit trail) with what it was made from.
-- Written out, five bits a line: a loop takes five times as long, and the audit asks for millions.
CREATE FUNCTION compact(p_id uuid) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT substr(letters, (get_byte(b, 0) >> 5) + 1, 1)
           || substr(letters, (get_byte(b, 0) & 31) + 1, 1)
           || substr(letters, ((get_byte(b, 1) >> 3) & 31) + 1, 1)
           || substr(letters, (((get_byte(b, 1) << 2) | (get_byte(b, 2) >> 6)) & 31) + 1, 1)
           || substr(letters, ((get_byte(b, 2) >> 1) & 31) + 1, 1)
           || substr(letters, (((get_byte(b, 2) << 4) | (get_byte(b, 3) >> 4)) & 31) + 1, 1)
           || substr(letters, (((get_byte(b, 3) << 1) | (get_byte(b, 4) >> 7)) & 31) + 1, 1)
           || substr(letters, ((get_byte(b, 4) >> 2) & 31) + 1, 1)
           || substr(letters, (((get_byte(b, 4) << 3) | (get_byte(b, 5) >> 5)) & 31) + 1, 1)
           || substr(letters, (get_byte(b, 5) & 31) + 1, 1)
           || substr(letters, ((get_byte(b, 6) >> 3) & 31) + 1, 1)
           || substr(letters, (((get_byte(b, 6) << 2) | (get_byte(b, 7) >> 6)) & 31) + 1, 1)
           || substr(letters, ((get_byte(b, 7) >> 1) & 31) + 1, 1)
           || substr(letters, (((get_byte(b, 7) << 4) | (get_byte(b, 8) >> 4)) & 31) + 1, 1)
           || substr(letters, (((get_byte(b, 8) << 1) | (get_byte(b, 9) >> 7)) & 31) + 1, 1)
           || substr(letters, ((get_byte(b, 9) >> 2) & 31) + 1, 1)
           || substr(letters, (((get_byte(b, 9) << 3) | (get_byte(b, 10) >> 5)) & 31) + 1, 1)
           || substr(letters, (get_byte(b, 10) & 31) + 1, 1)
           || substr(letters, ((get_byte(b, 11) >> 3) & 31) + 1, 1)
           || substr(letters, (((get_byte(b, 11) << 2) | (get_byte(b, 12) >> 6)) & 31) + 1, 1)
           || substr(letters, ((get_byte(b, 12) >> 1) & 31) + 1, 1)
           || substr(letters, (((get_byte(b, 12) << 4) | (get_byte(b, 13) >> 4)) & 31) + 1, 1)
           || substr(letters, (((get_byte(b, 13) << 1) | (get_byte(b, 14) >> 7)) & 31) + 1, 1)
           || substr(letters, ((get_byte(b, 14) >> 2) & 31) + 1, 1)
           || substr(letters, (((get_byte(b, 14) << 3) | (get_byte(b, 15) >> 5)) & 31) + 1, 1)
           || substr(letters, (get_byte(b, 15) & 31) + 1, 1)
    FROM (SELECT uuid_send(p_id) AS b, '0123456789ABCDEFGHJKMNPQRSTVWXYZ' AS letters OFFSET 0) AS x
$$;

-- One row per clean audit: what it covered, and a hash over it and the row before.  History that
-- is changed behind such a point is seen by the next full audit.
-- Global: an audit is about the whole instance.
CREATE TABLE audit_points (
    point        integer     CONSTRAINT audit_points_pkey PRIMARY KEY,
    kind         text        NOT NULL,
    taken_at     timestamptz NOT NULL DEFAULT now(),
    covers_from  timestamptz NOT NULL,  -- what happened from here
    covers_until timestamptz NOT NULL,  -- up to here, exclusive
    history      bytea       NOT NULL,  -- SHA-256 over what happened between the two
    totals       jsonb       NOT NULL,  -- of what happened before covers_until
    chained      bytea       NOT NULL,  -- SHA-256 over this row and `chained` of the row before
    CONSTRAINT audit_kind_is_known CHECK (kind IN ('full', 'incremental')),
    CONSTRAINT audit_point_covers_a_time CHECK (covers_from < covers_until),
    CONSTRAINT audit_hashes_are_sha256
        CHECK (octet_length(history) = 32 AND octet_length(chained) = 32)
);

-- What happened since a moment.  These tables grow in the order of time, so a few pages of an
-- index of ranges find it, and writing costs next to nothing.
CREATE INDEX entries_by_time ON entries USING brin (posted_at) WITH (autosummarize = on);
CREATE INDEX orders_by_time ON orders USING brin (placed_at, closed_at)
    WITH (autosummarize = on);
CREATE INDEX payment_attempts_by_time ON payment_attempts USING brin (opened_at)
    WITH (autosummarize = on);
CREATE INDEX stampings_by_time ON stampings USING brin (requested_at, delivered_at)
    WITH (autosummarize = on);
CREATE INDEX holds_by_time ON holds USING brin (held_at, resolved_at)
    WITH (autosummarize = on);
CREATE INDEX audit_events_by_time ON audit_events USING brin (happened_at)
    WITH (autosummarize = on);

CREATE INDEX stamps_by_lot ON stamps (account_id, lot_id);
CREATE INDEX captures_by_payment ON captures (payment);
-- What the issuers took back after its stamp was used: few legs among millions.
CREATE INDEX legs_of_denied_loss ON legs (account_id) WHERE book = 'denied_loss';
