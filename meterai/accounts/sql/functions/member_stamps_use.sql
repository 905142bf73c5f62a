-- Count stamps of a member against its limit of this calendar month (WIB), if it has one; `p_uses` maps each
-- stamping or order to its stamps.  The row of the member is locked, so counts of one member are serial. Refuses
-- `membership_ended`, `member_limit_reached`.
CREATE OR REPLACE FUNCTION member_stamps_use(p_account uuid, p_member uuid, p_uses jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_limit integer;
    v_month timestamptz := date_trunc('month', now() AT TIME ZONE 'Asia/Jakarta') AT TIME ZONE 'Asia/Jakarta';
    v_used bigint;
    v_wanted bigint;
BEGIN
    SELECT stamps_per_month INTO v_limit FROM memberships
    WHERE account_id = p_account AND member_id = p_member AND ended_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('membership_ended');
    END IF;
    IF v_limit IS NULL THEN
        RETURN;
    END IF;
    SELECT coalesce(sum(stamps - returned), 0) INTO v_used FROM member_uses
    WHERE account_id = p_account AND member_id = p_member AND used_at >= v_month;
    SELECT coalesce(sum(value::integer), 0) INTO v_wanted FROM jsonb_each_text(p_uses);
    IF v_used + v_wanted > v_limit THEN
        PERFORM refuse('member_limit_reached', jsonb_build_object(
            'needed', v_wanted, 'left', greatest(v_limit - v_used, 0), 'limit', v_limit));
    END IF;
    INSERT INTO member_uses (account_id, use_id, member_id, stamps, used_at)
    SELECT p_account, key::uuid, p_member, value::integer, now() FROM jsonb_each_text(p_uses);
END $$;
