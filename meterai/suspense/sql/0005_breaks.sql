-- A difference between a record and the books is an item too, with the rupiah by which they differ, and more ways out.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Rupiah that the record's account has more than the books, less where it is below zero; NULL where no sum differs,
-- or its money is in the book.
ALTER TABLE suspense_items
    ADD COLUMN difference bigint,
    DROP CONSTRAINT suspense_source_is_known,
    DROP CONSTRAINT suspense_reason_is_known,
    DROP CONSTRAINT suspense_resolution_is_known,
    DROP CONSTRAINT suspended_money_is_not_dismissed,
    ADD CONSTRAINT suspense_source_is_known CHECK (source IN ('notification', 'question', 'record')),
    ADD CONSTRAINT suspense_reason_is_known CHECK (reason IN
        ('unreadable', 'reference_missing', 'reference_unknown', 'status_unknown',
         'status_contradicts', 'number_missing', 'amount_unreadable', 'amount_differs',
         'denial_ambiguous', 'id_conflict', 'refunded_there', 'number_elsewhere', 'refund_overdue', 'refund_not_in_record',
         'unconfirmed', 'unanswered', 'about_another',
         'payment_not_in_books', 'payment_not_in_record', 'payment_sum_differs', 'payment_facts_differ',
         'refund_not_in_books', 'chargeback_not_in_books', 'chargeback_not_in_record', 'books_differ',
         'line_unreadable', 'line_unplaced', 'lines_too_many', 'record_changed', 'record_missing', 'file_unreadable',
         'fee_not_booked', 'tax_not_booked', 'settlement_not_booked', 'account_moved')),
    ADD CONSTRAINT suspense_resolution_is_known CHECK (resolution IN
        ('explained', 'returned', 'dismissed', 'applied', 'matched', 'fee', 'written_off')),
    ADD CONSTRAINT suspense_difference_is_none_or_some CHECK (difference IS NULL OR (difference <> 0 AND booked = 0)),
    ADD CONSTRAINT suspended_money_is_not_dismissed
        CHECK (resolution <> 'dismissed' OR (booked = 0 AND difference IS NULL));
