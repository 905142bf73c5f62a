-- The unit of a book of the chart (ledger/chart.py); null for an unknown book.
-- Public: finance, whose closes balance in each unit.
CREATE OR REPLACE FUNCTION unit_of(p_book text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE
        WHEN p_book IN ('bank_clearing', 'buyer_funds', 'refunds_payable', 'duty_payable',
                        'service_fee', 'denied_loss', 'suspense', 'bank_account', 'refund_float',
                        'provider_fee', 'provider_tax', 'compensation', 'written_off',
                        'deposits', 'collectors_due', 'fees_owed') THEN 'IDR'
        WHEN p_book IN ('stamps_issued', 'stamps_available', 'stamps_ordered',
                        'stamps_affixed') THEN 'STAMP'
    END
$$;
