-- An absent confirmation, answer or line of the record is an item too; an operator can apply money to an order.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE suspense_items
    DROP CONSTRAINT suspense_reason_is_known,
    DROP CONSTRAINT suspense_resolution_is_known,
    ADD CONSTRAINT suspense_reason_is_known CHECK (reason IN
        ('unreadable', 'reference_missing', 'reference_unknown', 'status_unknown',
         'status_contradicts', 'number_missing', 'amount_unreadable', 'amount_differs',
         'denial_ambiguous', 'id_conflict', 'refunded_there', 'number_elsewhere', 'refund_overdue',
         'refund_not_in_record', 'unconfirmed', 'unanswered')),
    ADD CONSTRAINT suspense_resolution_is_known CHECK (resolution IN
        ('explained', 'returned', 'dismissed', 'applied'));
