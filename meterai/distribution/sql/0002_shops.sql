-- Sales pages of distributors, and their fees.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

-- The bound of the operator is a setting, and may change; beyond ten times the duty a fee is a mistake of typing.
ALTER TABLE distributor_terms
    ADD CONSTRAINT seller_fee_is_bounded CHECK (fee <= 100000);

CREATE TABLE shops (
    account_id uuid        NOT NULL,
    slug       text        NOT NULL,  -- its address today: /s/SLUG
    colour     text        NOT NULL,  -- #rrggbb, under white text
    terms      text        NOT NULL,  -- the seller's own, plain text; empty: none
    logo       bytea,                 -- as we drew it anew, WebP; NULL: none
    logo_hash  text,                  -- SHA-256 of it, hex: its name
    set_at     timestamptz NOT NULL,
    CONSTRAINT shops_pkey PRIMARY KEY (account_id),
    CONSTRAINT shop_is_of_a_distributor FOREIGN KEY (account_id) REFERENCES distributors,
    CONSTRAINT shop_has_a_colour CHECK (colour ~ '^#[0-9a-f]{6}$'),
    CONSTRAINT shop_terms_are_short CHECK (length(terms) <= 8000),
    CONSTRAINT logo_is_small_and_named CHECK ((logo IS NULL) = (logo_hash IS NULL) AND octet_length(logo) <= 65536)
);

-- Of no account: a name is one shop's, also when the shop has another by now, since it is printed on paper.
CREATE TABLE shop_names (
    slug       text        NOT NULL,
    account_id uuid        NOT NULL,
    named_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT shop_names_pkey PRIMARY KEY (slug),
    CONSTRAINT slug_is_a_word CHECK (slug ~ '^[a-z0-9](-?[a-z0-9]){2,39}$')
);
CREATE INDEX shop_names_of_an_account ON shop_names (account_id);

CREATE TABLE seller_debts (
    account_id uuid        NOT NULL,
    owed       bigint      NOT NULL,  -- rupiah of fees that went back to buyers when the deposit had less
    began_at   timestamptz NOT NULL DEFAULT now(),  -- when it owed for the first time
    CONSTRAINT seller_debts_pkey PRIMARY KEY (account_id),
    CONSTRAINT debt_is_not_below_zero CHECK (owed >= 0)
);

CREATE TABLE fee_moves (
    account_id uuid        NOT NULL,  -- of the seller
    order_id   uuid        NOT NULL,  -- of the buyer; the account itself, where a debt was collected
    number     integer     NOT NULL,
    buyer_id   uuid        NOT NULL,
    stamps     integer     NOT NULL,  -- below zero: given back
    amount     bigint      NOT NULL,  -- rupiah of fees; 0: a debt was collected
    of_deposit bigint      NOT NULL,  -- of them, what moved the deposit; the rest moved the debt
    moved_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT fee_moves_pkey PRIMARY KEY (account_id, order_id, number),
    CONSTRAINT fee_move_is_one_of_three CHECK (
        (amount > 0 AND stamps > 0 AND of_deposit >= 0 AND of_deposit <= amount)
        OR (amount < 0 AND stamps < 0 AND of_deposit <= 0 AND of_deposit >= amount)
        OR (amount = 0 AND stamps = 0 AND of_deposit < 0 AND order_id = account_id))
);
