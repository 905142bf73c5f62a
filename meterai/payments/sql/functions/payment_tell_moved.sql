-- Emit the event that money of a payment moved without a request of the room of its subject.  `p_restored`: rupiah that had
-- left us and came back, booked by the ledger entry `p_entry`.
CREATE OR REPLACE FUNCTION payment_tell_moved(
    p_account uuid, p_attempt uuid, p_payment text, p_subject uuid, p_restored bigint DEFAULT 0,
    p_entry text DEFAULT ''
) RETURNS void
LANGUAGE sql AS $$
    SELECT emit(p_account, 'payment_moved', jsonb_build_object(
        'attempt', p_attempt, 'payment', p_payment, 'subject', p_subject, 'restored', p_restored,
        'entry', p_entry));
$$;
