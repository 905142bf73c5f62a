-- Collectors (pemungut bea meterai), who stamp now and pay the duty to the state by month.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE collector_terms (
    account_id    uuid        NOT NULL,
    terms_id      uuid        NOT NULL,
    collector     text        NOT NULL,  -- its name
    npwp          text        NOT NULL,
    nitku         text        NOT NULL,  -- of the place of business; empty: not told
    limit_rupiah  bigint      NOT NULL,  -- that it may draw in a month
    set_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT collector_terms_pkey PRIMARY KEY (account_id, terms_id),
    CONSTRAINT collector_terms_are_possible CHECK (collector <> '' AND limit_rupiah > 0 AND npwp <> '')
);

CREATE TABLE collectors (
    account_id  uuid        NOT NULL,
    state       text        NOT NULL DEFAULT 'open',
    terms_id    uuid        NOT NULL,  -- those of today
    approved_at timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz,
    CONSTRAINT collectors_pkey PRIMARY KEY (account_id),
    CONSTRAINT collector_state_is_known CHECK (state = ANY ('{open,closed}')),
    CONSTRAINT closed_collector_has_its_time CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT collector_has_terms FOREIGN KEY (account_id, terms_id) REFERENCES collector_terms
);

CREATE TABLE collector_months (
    account_id uuid   NOT NULL,
    month      date   NOT NULL,            -- its first day, in WIB
    drawn      bigint NOT NULL DEFAULT 0,  -- rupiah taken by draws of the month
    returned   bigint NOT NULL DEFAULT 0,  -- of these, whenever it came back
    deposited  bigint NOT NULL DEFAULT 0,  -- confirmed deposits of the month
    CONSTRAINT collector_months_pkey PRIMARY KEY (account_id, month),
    CONSTRAINT month_is_its_first_day CHECK (extract(day FROM month) = 1),
    CONSTRAINT month_of_collector_is_possible CHECK (drawn >= 0 AND returned >= 0 AND deposited >= 0 AND returned <= drawn),
    CONSTRAINT month_has_a_collector FOREIGN KEY (account_id) REFERENCES collectors
);

CREATE TABLE credit_draws (
    account_id  uuid        NOT NULL,
    draw_id     uuid        NOT NULL,  -- the attempt that it pays
    amount      bigint      NOT NULL,
    state       text        NOT NULL,
    month       date,                  -- in which it was taken, in WIB
    made_at     timestamptz NOT NULL DEFAULT now(),
    taken_at    timestamptz,
    ended_at    timestamptz,
    CONSTRAINT credit_draws_pkey PRIMARY KEY (account_id, draw_id),
    CONSTRAINT draw_state_is_known CHECK (state = ANY ('{waiting,taken,ended}')),
    CONSTRAINT draw_says_how_it_stands CHECK ((state = 'taken') = (taken_at IS NOT NULL AND month IS NOT NULL)
        AND (state = 'ended') = (ended_at IS NOT NULL)),
    CONSTRAINT draw_is_of_rupiah CHECK (amount > 0),
    CONSTRAINT draw_has_a_collector FOREIGN KEY (account_id) REFERENCES collectors
);
CREATE INDEX credit_draws_waiting ON credit_draws (account_id, made_at, draw_id) WHERE state = 'waiting';
CREATE INDEX credit_draws_by_taking ON credit_draws (taken_at) WHERE taken_at IS NOT NULL;

CREATE TABLE credit_returns (
    account_id  uuid        NOT NULL,
    refund_no   text        NOT NULL,  -- of the refund of the order
    draw_id     uuid        NOT NULL,
    amount      bigint      NOT NULL,
    returned_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT credit_returns_pkey PRIMARY KEY (account_id, refund_no),
    CONSTRAINT returned_credit_is_some CHECK (amount > 0),
    CONSTRAINT returned_credit_is_of_a_draw FOREIGN KEY (account_id, draw_id) REFERENCES credit_draws
);
CREATE INDEX credit_returns_of_a_draw ON credit_returns (account_id, draw_id);
CREATE INDEX credit_returns_by_time ON credit_returns (returned_at);

CREATE TABLE collector_deposits (
    account_id   uuid        NOT NULL,
    deposit_id   uuid        NOT NULL,
    ntpn         text        NOT NULL,  -- the state's receipt of a deposit
    month        date        NOT NULL,  -- whose duty it is
    amount       bigint      NOT NULL,
    paid_on      date        NOT NULL,
    state        text        NOT NULL DEFAULT 'told',
    told_at      timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,
    withdrawn_at  timestamptz,
    CONSTRAINT collector_deposits_pkey PRIMARY KEY (account_id, deposit_id),
    CONSTRAINT ntpn_is_written CHECK (ntpn ~ '^[0-9A-Z]{16}$'),
    CONSTRAINT collector_deposit_is_some CHECK (amount > 0 AND extract(day FROM month) = 1),
    CONSTRAINT collector_deposit_state_is_known CHECK (state = ANY ('{told,confirmed,withdrawn}')),
    CONSTRAINT collector_deposit_has_its_time CHECK ((state = 'confirmed') = (confirmed_at IS NOT NULL)
        AND (state = 'withdrawn') = (withdrawn_at IS NOT NULL)),
    CONSTRAINT collector_deposit_has_a_collector FOREIGN KEY (account_id) REFERENCES collectors
);
CREATE UNIQUE INDEX one_deposit_per_ntpn ON collector_deposits (account_id, ntpn) WHERE state <> 'withdrawn';
CREATE INDEX collector_deposits_in_all_accounts ON collector_deposits (ntpn);

CREATE TABLE collector_reports (
    account_id  uuid        NOT NULL,
    month       date        NOT NULL,
    receipt     text        NOT NULL,  -- the number of the tax office's receipt of the return
    reported_on date        NOT NULL,
    told_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT collector_reports_pkey PRIMARY KEY (account_id, month),
    CONSTRAINT report_is_of_a_month CHECK (extract(day FROM month) = 1 AND receipt <> ''),
    CONSTRAINT report_has_a_collector FOREIGN KEY (account_id) REFERENCES collectors
);

CREATE TABLE collector_reminders (
    account_id  uuid        NOT NULL,
    month       date        NOT NULL,  -- of which something is open
    day         smallint    NOT NULL,  -- of the month after it
    what        text        NOT NULL,
    reminded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT collector_reminders_pkey PRIMARY KEY (account_id, month, day),
    CONSTRAINT reminder_is_of_something CHECK (what = ANY ('{deposit,report}')),
    CONSTRAINT reminder_has_a_collector FOREIGN KEY (account_id) REFERENCES collectors
);

-- Documents that a collector could not have stamped (annex III of the return).
CREATE TABLE unstamped_documents (
    account_id      uuid        NOT NULL,
    document_id     uuid        NOT NULL,
    month           date        NOT NULL,
    type            text        NOT NULL,
    number          text        NOT NULL,
    dated           date        NOT NULL,
    value           bigint      NOT NULL,
    party_name      text        NOT NULL,
    identity_kind   text        NOT NULL,
    identity_number text        NOT NULL,
    happened_at     timestamptz NOT NULL,
    reason          text        NOT NULL,
    told_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT unstamped_documents_pkey PRIMARY KEY (account_id, document_id),
    CONSTRAINT unstamped_document_is_of_a_month CHECK (extract(day FROM month) = 1),
    CONSTRAINT unstamped_document_has_a_collector FOREIGN KEY (account_id) REFERENCES collectors
);
CREATE UNIQUE INDEX one_row_per_unstamped_document ON unstamped_documents (account_id, month, type, number);
CREATE INDEX unstamped_documents_to_leave ON unstamped_documents (told_at);
