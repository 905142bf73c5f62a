-- The handlers of an event; none where nobody listens, null where no such event is declared.
-- Written by `python -m scripts.subscriptions` from the HANDLERS of the rooms.
CREATE OR REPLACE FUNCTION subscribers(p_event text) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_event
        WHEN 'api_key_ends' THEN ARRAY['queue_key_ends']
        WHEN 'complaint_sent' THEN ARRAY['take_complaint']
        WHEN 'credential_changed' THEN ARRAY['queue_credential_changed']
        WHEN 'incident_reviewed' THEN ARRAY['make_report']
        WHEN 'invitation_made' THEN ARRAY['queue_invitation']
        WHEN 'money_to_return' THEN ARRAY['return_money']
        WHEN 'notification_received' THEN ARRAY['take_from_inbox']
        WHEN 'order_denied' THEN ARRAY['drop_waiting']
        WHEN 'order_executed' THEN ARRAY['tell_executed']
        WHEN 'order_lapsed' THEN ARRAY[]::text[]
        WHEN 'order_paid' THEN ARRAY['reserve']
        WHEN 'order_returned' THEN ARRAY[]::text[]
        WHEN 'order_returning' THEN ARRAY['drop_waiting']
        WHEN 'order_withdrawn' THEN ARRAY['drop_waiting']
        WHEN 'organization_decided' THEN ARRAY['queue_organization_decided']
        WHEN 'payment_captured' THEN ARRAY['settle']
        WHEN 'payment_declined' THEN ARRAY['offer_again']
        WHEN 'payment_denied' THEN ARRAY['take_chargeback']
        WHEN 'payment_refunded' THEN ARRAY['take_refund_news']
        WHEN 'payment_won' THEN ARRAY['take_won']
        WHEN 'refund_requested' THEN ARRAY['tell_requested']
        WHEN 'refund_settled' THEN ARRAY['tell_settled', 'close_with_money']
        WHEN 'sign_in_asked' THEN ARRAY['queue_sign_in_code']
        WHEN 'stamping_delivered' THEN ARRAY['enter_directory', 'finish_order', 'tell_delivered']
        WHEN 'stamping_failed' THEN ARRAY['finish_order', 'tell_failed', 'return_unstamped']
        WHEN 'turn_near' THEN ARRAY['queue_turn_near']
    END;
$$;
