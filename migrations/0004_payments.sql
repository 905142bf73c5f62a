-- Money in and out through a provider.  Knows no orders: an attempt has a subject, a text.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE payment_attempts (
    account_id         uuid        NOT NULL,
    attempt_id         uuid        NOT NULL,
    subject            uuid        NOT NULL,
    reference          text        NOT NULL,  -- ours, at the provider
    amount             bigint      NOT NULL,
    state              text        NOT NULL DEFAULT 'opening',
    qr_content         text,
    provider_reference text,
    opened_at          timestamptz NOT NULL DEFAULT now(),
    expires_at         timestamptz NOT NULL,
    leased_until       timestamptz NOT NULL,  -- who opens or asks; afterwards another may
    ask_at             timestamptz NOT NULL,  -- when to ask the provider what became of it
    asked              integer     NOT NULL DEFAULT 0,
    CONSTRAINT payment_attempts_pkey PRIMARY KEY (account_id, attempt_id),
    CONSTRAINT attempt_has_an_amount CHECK (amount > 0),
    CONSTRAINT attempt_state_is_known CHECK (state IN
        ('opening', 'waiting', 'paid', 'lost', 'expired', 'cancelled', 'declined', 'denied')),
    CONSTRAINT waiting_attempt_has_a_qr CHECK (state <> 'waiting' OR qr_content IS NOT NULL)
);
CREATE INDEX payment_attempts_to_open ON payment_attempts (leased_until)
    WHERE state = 'opening';
CREATE INDEX payment_attempts_to_ask ON payment_attempts (ask_at)
    WHERE state <> 'opening' AND ask_at < 'infinity';
CREATE INDEX payment_attempts_by_subject ON payment_attempts (account_id, subject);

-- One row per payment that reached us, whatever it was worth and however often we were told.
CREATE TABLE captures (
    account_id       uuid        NOT NULL,
    attempt_id       uuid        NOT NULL,
    payment          text        NOT NULL,  -- the provider's number of this payment (RRN)
    amount           bigint      NOT NULL,
    learned_by       text        NOT NULL,
    captured_at      timestamptz NOT NULL DEFAULT now(),
    denied_at        timestamptz,
    CONSTRAINT captures_pkey PRIMARY KEY (account_id, attempt_id, payment),
    CONSTRAINT capture_has_its_attempt
        FOREIGN KEY (account_id, attempt_id) REFERENCES payment_attempts,
    CONSTRAINT capture_has_an_amount CHECK (amount > 0),
    CONSTRAINT capture_is_learned_by CHECK (learned_by IN ('notification', 'question', 'denial'))
);

-- Global: what a provider told us, before it is known whose it is.  Written before it is
-- answered and before anything is done about it.
CREATE TABLE notification_inbox (
    provider    text        NOT NULL,
    external_id text        NOT NULL,
    sent_on     date        NOT NULL,
    body        bytea       NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    outcome     text,
    CONSTRAINT notification_inbox_pkey PRIMARY KEY (provider, sent_on, external_id)
);

-- Record the wish to be paid, before the provider is asked.  Part of order_place.
CREATE FUNCTION payment_open(
    p_account uuid, p_attempt uuid, p_subject uuid, p_reference text, p_amount bigint,
    p_expires_at timestamptz, p_lease_seconds double precision
) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO payment_attempts (account_id, attempt_id, subject, reference, amount,
                                  expires_at, leased_until, ask_at)
    VALUES (p_account, p_attempt, p_subject, p_reference, p_amount, p_expires_at,
            now() + make_interval(secs => p_lease_seconds), p_expires_at);
$$;

-- Nobody knows whether the provider made this QR: it is never shown, but still asked about.
-- Another attempt takes its place, to be opened after a pause.
CREATE FUNCTION payment_replace(
    p_account uuid, p_lost uuid, p_attempt uuid, p_reference text, p_pause_seconds double precision
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_lost payment_attempts;
BEGIN
    UPDATE payment_attempts SET state = 'lost', ask_at = now() + make_interval(secs => 5)
    WHERE account_id = p_account AND attempt_id = p_lost AND state = 'opening'
    RETURNING * INTO v_lost;
    IF NOT FOUND OR v_lost.expires_at <= now() THEN
        RETURN false;
    END IF;
    PERFORM payment_open(p_account, p_attempt, v_lost.subject, p_reference, v_lost.amount,
                         v_lost.expires_at, p_pause_seconds);
    RETURN true;
END $$;

-- The time to pay ran out: what is open of a subject is not shown any more.
CREATE FUNCTION payment_expire(p_account uuid, p_subject uuid) RETURNS void
LANGUAGE sql AS $$
    UPDATE payment_attempts SET state = 'expired'
    WHERE account_id = p_account AND subject = p_subject AND state = 'waiting';
$$;

-- Money arrived.  The one door for notification, browser return and status question alike; it
-- only ever moves forward.  Answers 'captured', 'known', or 'unknown_attempt'.
CREATE FUNCTION payment_capture(
    p_account uuid, p_attempt uuid, p_payment text, p_amount bigint, p_learned_by text
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_attempt payment_attempts;
BEGIN
    SELECT * INTO v_attempt FROM payment_attempts
    WHERE account_id = p_account AND attempt_id = p_attempt FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_attempt';
    END IF;
    INSERT INTO captures (account_id, attempt_id, payment, amount, learned_by)
    VALUES (p_account, p_attempt, p_payment, p_amount, p_learned_by)
    ON CONFLICT ON CONSTRAINT captures_pkey DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'known';
    END IF;
    UPDATE payment_attempts SET state = 'paid'
    WHERE account_id = p_account AND attempt_id = p_attempt AND state <> 'denied';
    PERFORM ledger_post(
        p_account, 'captured:' || p_attempt || ':' || p_payment, 'payment_captured',
        v_attempt.subject,
        ARRAY['bank_clearing', 'buyer_funds'], ARRAY[-p_amount, p_amount]);
    PERFORM emit(p_account, 'payment_captured', jsonb_build_object(
        'attempt', p_attempt, 'payment', p_payment, 'subject', v_attempt.subject,
        'amount', p_amount));
    RETURN 'captured';
END $$;

-- The issuer took the money back after it had been settled, or never gave it.  Answers 'denied',
-- 'known', 'declined' (nothing had been captured), or 'unknown_attempt'.
CREATE FUNCTION payment_deny(
    p_account uuid, p_attempt uuid, p_payment text, p_amount bigint
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_subject uuid;
    v_amount bigint;
BEGIN
    SELECT subject INTO v_subject FROM payment_attempts
    WHERE account_id = p_account AND attempt_id = p_attempt FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_attempt';
    END IF;
    UPDATE captures SET denied_at = now()
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment
        AND denied_at IS NULL
    RETURNING amount INTO v_amount;
    IF FOUND THEN
        UPDATE payment_attempts SET state = 'denied'
        WHERE account_id = p_account AND attempt_id = p_attempt
            AND NOT EXISTS (SELECT 1 FROM captures c WHERE c.account_id = p_account
                            AND c.attempt_id = p_attempt AND c.denied_at IS NULL);
        PERFORM emit(p_account, 'payment_denied', jsonb_build_object(
            'attempt', p_attempt, 'payment', p_payment, 'subject', v_subject,
            'amount', v_amount));
        RETURN 'denied';
    END IF;
    IF p_payment IS NOT NULL THEN
        -- The denial overtook the payment it denies: leave a mark, so that the late news of
        -- the payment is 'known' and moves no money.
        INSERT INTO captures (account_id, attempt_id, payment, amount, learned_by, denied_at)
        VALUES (p_account, p_attempt, p_payment, p_amount, 'denial', now())
        ON CONFLICT ON CONSTRAINT captures_pkey DO NOTHING;
        IF NOT FOUND THEN
            RETURN 'known';
        END IF;
    END IF;
    UPDATE payment_attempts SET state = 'declined'
    WHERE account_id = p_account AND attempt_id = p_attempt AND state = 'lost';
    UPDATE payment_attempts SET state = 'declined'
    WHERE account_id = p_account AND attempt_id = p_attempt AND state IN ('opening', 'waiting');
    IF FOUND THEN  -- a lost attempt has its successor already
        PERFORM emit(p_account, 'payment_declined', jsonb_build_object('subject', v_subject));
    END IF;
    RETURN 'declined';
END $$;
