-- The 26 characters of an identifier, as kit/ids.py writes them.  Audits compare texts that contain one (references,
-- refund numbers, subjects of the audit trail) with the identifier that they were made from.
-- Each line handles five bits; a loop would take five times as long, and an audit calls this millions of times.
CREATE OR REPLACE FUNCTION compact(p_id uuid) RETURNS text
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
