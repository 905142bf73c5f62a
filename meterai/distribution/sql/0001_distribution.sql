-- Distributors, who sell stamps from a deposit in rupiah that they pay in advance.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE distributor_terms (
    account_id    uuid        NOT NULL,
    terms_id      uuid        NOT NULL,
    seller        text        NOT NULL,  -- its name, as buyers see it
    fee           bigint      NOT NULL,  -- rupiah of each stamp, where the buyer pays it by our rails
    short         text        NOT NULL,  -- what becomes of a sale that the deposit does not cover
    region        text        NOT NULL,
    low_days      integer     NOT NULL,  -- of cover, at the mean of a week, below which the deposit is low; 0: not looked at
    low_rupiah    bigint      NOT NULL,  -- below which it is low
    topup_method  text,                  -- by which a low deposit is to be topped up; NULL: by the default
    topup_rupiah  bigint      NOT NULL,  -- how much then; 0: it is only told
    set_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT distributor_terms_pkey PRIMARY KEY (account_id, terms_id),
    CONSTRAINT short_sale_has_a_way CHECK (short = ANY ('{wait,retail,return}')),
    CONSTRAINT distributor_terms_are_possible CHECK (seller <> '' AND fee >= 0 AND low_days >= 0 AND low_rupiah >= 0
        AND topup_rupiah >= 0)
);

CREATE TABLE distributors (
    account_id  uuid        NOT NULL,
    state       text        NOT NULL DEFAULT 'approved',
    terms_id    uuid        NOT NULL,  -- those of today
    approved_at timestamptz NOT NULL DEFAULT now(),
    opened_at   timestamptz,
    closing_at  timestamptz,
    closed_at   timestamptz,
    low_at      timestamptz,           -- when it was told last that its deposit is low; NULL: it is not
    mean_rupiah bigint      NOT NULL DEFAULT 0,  -- taken of a day, over a week
    mean_at     timestamptz,           -- when that was counted; NULL: never
    CONSTRAINT distributors_pkey PRIMARY KEY (account_id),
    CONSTRAINT distributor_state_is_known CHECK (state = ANY ('{approved,open,closing,closed}')),
    CONSTRAINT distributor_has_terms FOREIGN KEY (account_id, terms_id) REFERENCES distributor_terms
);

CREATE TABLE sales (
    account_id      uuid        NOT NULL,  -- of the seller
    sale_id         uuid        NOT NULL,
    idempotency_key text        NOT NULL,
    request_hash    bytea       NOT NULL,
    buyer_id        uuid        NOT NULL,
    order_id        uuid        NOT NULL,  -- of the buyer
    attempt_id      uuid        NOT NULL,  -- by which the deposit pays it
    quantity        integer     NOT NULL,
    unit_price      bigint      NOT NULL,
    service_fee     bigint      NOT NULL,
    due_seconds     double precision NOT NULL,  -- of the order: paid and not executed after so long goes back
    reference       text,                  -- the seller's own
    state           text        NOT NULL,
    made_at         timestamptz NOT NULL DEFAULT now(),
    waits_until     timestamptz NOT NULL,
    taken_at        timestamptz,
    ended_at        timestamptz,
    end_cause       text,
    CONSTRAINT sales_pkey PRIMARY KEY (account_id, sale_id),
    CONSTRAINT one_sale_per_key UNIQUE (account_id, idempotency_key),
    CONSTRAINT sale_state_is_known CHECK (state = ANY ('{waiting,taken,ended}')),
    CONSTRAINT sale_says_how_it_stands CHECK ((state = 'taken') = (taken_at IS NOT NULL)
        AND (state = 'ended') = (ended_at IS NOT NULL AND end_cause IS NOT NULL)),
    CONSTRAINT sale_ends_for_a_cause CHECK (end_cause = ANY ('{due,order,closed}')),
    CONSTRAINT sale_is_of_stamps CHECK (quantity > 0 AND unit_price > 0 AND service_fee >= 0),
    CONSTRAINT sale_has_a_seller FOREIGN KEY (account_id) REFERENCES distributors
);
CREATE INDEX sales_waiting ON sales (account_id, sale_id) WHERE state = 'waiting';
CREATE INDEX sales_to_end ON sales (waits_until) WHERE state = 'waiting';
CREATE INDEX sales_of_a_buyer ON sales (account_id, buyer_id, made_at);
CREATE INDEX sales_by_attempt ON sales (attempt_id);
CREATE INDEX sales_by_taking ON sales (taken_at) WHERE taken_at IS NOT NULL;
CREATE INDEX sales_to_blank ON sales (made_at) WHERE reference IS NOT NULL;

CREATE TABLE deposit_returns (
    account_id  uuid        NOT NULL,
    refund_no   text        NOT NULL,  -- of the refund of the buyer's order
    sale_id     uuid        NOT NULL,
    amount      bigint      NOT NULL,
    returned_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT deposit_returns_pkey PRIMARY KEY (account_id, refund_no),
    CONSTRAINT returned_deposit_is_some CHECK (amount > 0),
    CONSTRAINT returned_deposit_is_of_a_sale FOREIGN KEY (account_id, sale_id) REFERENCES sales
);
CREATE INDEX deposit_returns_of_a_sale ON deposit_returns (account_id, sale_id);
CREATE INDEX deposit_returns_by_time ON deposit_returns (returned_at);
