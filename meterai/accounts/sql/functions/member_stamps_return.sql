-- Give back stamps of a stamping or order to the limit of the member that used them: `p_stamps`, or all if null.
-- Stamps that were counted against no member change nothing.
-- Public: orders and stamping, where a stamping fails or an order ends without its documents.
CREATE OR REPLACE FUNCTION member_stamps_return(p_account uuid, p_use uuid, p_stamps integer DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE member_uses SET returned = least(stamps, returned + coalesce(p_stamps, stamps))
    WHERE account_id = p_account AND use_id = p_use AND returned < stamps;
END $$;
