-- The fee of a seller: a part of the service fee of an order that its buyer pays us, and what of it is the seller's by now.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

-- In the row itself: who moves an order learns without another statement that nobody else has a share of it.
ALTER TABLE orders
    ADD COLUMN seller_fee bigint,  -- rupiah of the service fee of each stamp that are the seller's; NULL: none
    ADD CONSTRAINT seller_fee_is_part_of_the_fee CHECK (seller_fee > 0 AND seller_fee <= service_fee) NOT VALID;

CREATE TABLE order_fees (
    account_id uuid        NOT NULL,
    order_id   uuid        NOT NULL,
    number     integer     NOT NULL,  -- of the moves of one order, from 1
    stamps     integer     NOT NULL,  -- whose fee was passed on to the seller; below zero: called back
    amount     bigint      NOT NULL,  -- the same in rupiah
    moved_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT order_fees_pkey PRIMARY KEY (account_id, order_id, number),
    CONSTRAINT fee_moves_with_its_stamps CHECK (number > 0 AND stamps <> 0 AND amount <> 0 AND (stamps > 0) = (amount > 0)),
    CONSTRAINT fee_is_of_a_sold_order FOREIGN KEY (account_id, order_id) REFERENCES order_sellers
);
