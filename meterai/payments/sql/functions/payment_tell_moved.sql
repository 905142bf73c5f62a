-- Tell that money of a payment moved without its subject, which looks what that means for it.  `p_restored`: rupiah that had
-- left and are with us again, by this entry.
CREATE OR REPLACE FUNCTION payment_tell_moved(
    p_account uuid, p_attempt uuid, p_payment text, p_subject uuid, p_restored bigint DEFAULT 0,
    p_entry text DEFAULT ''
) RETURNS void
LANGUAGE sql AS $$
    SELECT emit(p_account, 'payment_moved', jsonb_build_object(
        'attempt', p_attempt, 'payment', p_payment, 'subject', p_subject, 'restored', p_restored,
        'entry', p_entry));
$$;
