-- Record that the stamps of a stamping are on the document.  For stamps bought for named documents, this also moves their
-- money from `buyer_funds` to duty and fee.  Answers false if it was recorded before.
-- Public: stamping, which delivered a document.
CREATE OR REPLACE FUNCTION stamps_affix(p_account uuid, p_stamping uuid, p_book text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
    v_price bigint;
    v_fee bigint;
    v_subject uuid := p_stamping;
    v_books text[];
    v_amounts bigint[];
BEGIN
    IF NOT ledger_resolve(p_account, p_stamping, 'posted') THEN
        RETURN false;
    END IF;
    SELECT count(*), sum(l.unit_price), sum(l.service_fee) INTO v_count, v_price, v_fee
    FROM stamps s JOIN stamp_lots l USING (account_id, lot_id)
    WHERE s.account_id = p_account AND s.stamping_id = p_stamping AND s.state = 'reserved';
    v_books := ARRAY[p_book, 'stamps_affixed'];
    v_amounts := ARRAY[-v_count, v_count];
    IF p_book = 'stamps_ordered' THEN
        v_books := v_books || ARRAY['buyer_funds', 'duty_payable', 'service_fee'];
        v_amounts := v_amounts || ARRAY[-v_price - v_fee, v_price, v_fee];
        v_subject := (SELECT lot_id FROM stamps WHERE account_id = p_account
                      AND stamping_id = p_stamping AND position = 1);
    END IF;
    PERFORM ledger_post(p_account, 'affixed:' || p_stamping, 'stamps_affixed',
                        v_subject, v_books, v_amounts);
    PERFORM stamps_leave_hold(p_account, p_stamping, 'affixed');
    RETURN true;
END $$;
