-- Orders of a deposit, which a seller pays in advance, and orders that a seller sold.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE orders
    DROP CONSTRAINT order_kind_is_known,
    ADD CONSTRAINT order_kind_is_known CHECK (kind = ANY ('{stamps,documents,deposit}')) NOT VALID;

CREATE TABLE order_deposits (
    account_id uuid        NOT NULL,
    order_id   uuid        NOT NULL,
    added      bigint      NOT NULL,            -- rupiah of the order that became deposit
    withdrawn  bigint      NOT NULL DEFAULT 0,  -- of them, taken out again: given back, or taken back by the payer's bank
    added_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT order_deposits_pkey PRIMARY KEY (account_id, order_id),
    CONSTRAINT deposit_is_withdrawn_in_part_or_whole
        CHECK (added > 0 AND withdrawn >= 0 AND withdrawn <= added),
    CONSTRAINT deposit_is_of_an_order FOREIGN KEY (account_id, order_id) REFERENCES orders
);

-- In a table of their own: no statement of the rush looks at it, and a row is only there where somebody sold.
CREATE TABLE order_sellers (
    account_id uuid        NOT NULL,
    order_id   uuid        NOT NULL,
    seller_id  uuid        NOT NULL,  -- the account of the seller
    seller     text        NOT NULL,  -- its name when it sold
    fee        bigint      NOT NULL,  -- rupiah of the service fee of each stamp that are the seller's
    sold_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT order_sellers_pkey PRIMARY KEY (account_id, order_id),
    CONSTRAINT seller_has_a_fee CHECK (fee >= 0),
    CONSTRAINT sold_order_is_there FOREIGN KEY (account_id, order_id) REFERENCES orders
);
