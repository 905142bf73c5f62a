-- The account of transfers has a record too: its lines, and what differs of one buyer.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE suspense_items
    DROP CONSTRAINT suspense_reason_is_known,
    ADD CONSTRAINT suspense_reason_is_known CHECK (reason IN
        ('unreadable', 'reference_missing', 'reference_unknown', 'status_unknown',
         'status_contradicts', 'number_missing', 'amount_unreadable', 'amount_differs',
         'denial_ambiguous', 'id_conflict', 'refunded_there', 'number_elsewhere', 'refund_overdue', 'refund_not_in_record',
         'unconfirmed', 'unanswered', 'about_another',
         'payment_not_in_books', 'payment_not_in_record', 'payment_sum_differs', 'payment_facts_differ',
         'refund_not_in_books', 'chargeback_not_in_books', 'chargeback_not_in_record', 'books_differ',
         'line_unreadable', 'line_unplaced', 'lines_too_many', 'record_changed', 'record_missing', 'file_unreadable',
         'fee_not_booked', 'tax_not_booked', 'settlement_not_booked', 'account_moved', 'float_moved', 'float_differs'));
