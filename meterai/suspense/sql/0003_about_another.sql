-- News of another merchant, or an answer about something else than what was asked, is an item too.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE suspense_items DROP CONSTRAINT suspense_reason_is_known;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_reason_is_known CHECK (reason IN
    ('unreadable', 'reference_missing', 'reference_unknown', 'status_unknown',
     'status_contradicts', 'number_missing', 'amount_unreadable', 'amount_differs',
     'denial_ambiguous', 'id_conflict', 'refunded_there', 'number_elsewhere', 'refund_overdue', 'refund_not_in_record',
     'unconfirmed', 'unanswered',
     'about_another'));
