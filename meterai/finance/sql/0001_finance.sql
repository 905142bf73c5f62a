-- Closes of days, payouts of duty to the treasury, lines in which a provider settles.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

-- Made once, after the day in WIB is over, and never changed.
CREATE TABLE day_closes (
    day       date        NOT NULL,
    closed_at timestamptz NOT NULL DEFAULT now(),
    entries   bigint      NOT NULL,
    sha256    bytea       NOT NULL,  -- of the digests of its entries, one behind the other (journal_of)
    manifest  text        NOT NULL,  -- signed; it names the close of the day before
    CONSTRAINT day_closes_pkey PRIMARY KEY (day),
    CONSTRAINT closed_day_is_over
        CHECK (closed_at >= timezone('Asia/Jakarta', (day + 1)::timestamp)),
    CONSTRAINT day_close_has_its_digest CHECK (octet_length(sha256) = 32)
);

CREATE TABLE day_close_sums (
    day     date   NOT NULL,
    book    text   NOT NULL,
    debit   bigint NOT NULL,
    credit  bigint NOT NULL,
    closing bigint NOT NULL,  -- credits less debits since the books began
    CONSTRAINT day_close_sums_pkey PRIMARY KEY (day, book)
);

CREATE TABLE payouts (
    payout_id    uuid        NOT NULL,
    amount       bigint      NOT NULL,
    month        date        NOT NULL,  -- whose duty it is, by its first day
    deposit_code text        NOT NULL,  -- kind of tax and of deposit
    state        text        NOT NULL DEFAULT 'approved',
    approved_at  timestamptz NOT NULL DEFAULT now(),
    approved_by  text        NOT NULL,
    sent_at      timestamptz,
    billing_code text,                  -- of the treasury, under which the bank is told to pay
    bank_line    text,                  -- the line of the bank statement that confirms it
    paid_at      timestamptz,           -- as that line says
    ntpn         text,                  -- the number of the state's receipt
    ended_at     timestamptz,
    why_failed   text,
    CONSTRAINT payouts_pkey PRIMARY KEY (payout_id),
    CONSTRAINT payout_line_is_of_one UNIQUE (bank_line),
    CONSTRAINT payout_has_an_amount CHECK (amount > 0),
    CONSTRAINT payout_is_of_a_month CHECK (extract(day FROM month) = 1),
    CONSTRAINT payout_state_is_known
        CHECK (state = ANY ('{approved,sent,confirmed,failed}')),
    CONSTRAINT payout_was_sent
        CHECK (state IN ('approved', 'failed') OR (sent_at IS NOT NULL AND billing_code IS NOT NULL)),
    CONSTRAINT payout_is_confirmed_by_a_line CHECK ((state = 'confirmed')
        = (bank_line IS NOT NULL AND paid_at IS NOT NULL AND ntpn IS NOT NULL)),
    CONSTRAINT payout_failed_for_a_reason CHECK ((state = 'failed') = (why_failed IS NOT NULL)),
    CONSTRAINT payout_ended CHECK ((state IN ('confirmed', 'failed')) = (ended_at IS NOT NULL))
);
CREATE INDEX payouts_open ON payouts (approved_at) WHERE state IN ('approved', 'sent');

-- What a provider says it paid into the operator's account or kept for itself, line by line.
CREATE TABLE settlement_lines (
    settlement_id uuid        NOT NULL,
    provider      text        NOT NULL,
    line          text        NOT NULL,  -- its identity in the provider's record
    settled_at    timestamptz NOT NULL,  -- as the record says
    net           bigint      NOT NULL,
    fee           bigint      NOT NULL,
    tax           bigint      NOT NULL,
    booked_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT settlement_lines_pkey PRIMARY KEY (settlement_id),
    CONSTRAINT settlement_line_is_booked_once UNIQUE (provider, line),
    CONSTRAINT settlement_line_has_an_amount
        CHECK (net >= 0 AND fee >= 0 AND tax >= 0 AND net + fee + tax > 0)
);
CREATE INDEX settlement_lines_by_time ON settlement_lines (booked_at);
