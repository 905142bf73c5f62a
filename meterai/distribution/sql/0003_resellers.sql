-- Resellers, who sell from the deposit of a distributor, one level below it.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

-- From whose deposit an account sells: a distributor from its own.  One row an account, so that a reseller has one
-- distributor, and none is both.
CREATE TABLE selling_accounts (
    account_id     uuid    NOT NULL,
    distributor_id uuid    NOT NULL,
    is_free        boolean NOT NULL DEFAULT false,  -- it is a reseller no more: it may sell from another deposit
    CONSTRAINT selling_accounts_pkey PRIMARY KEY (account_id),
    CONSTRAINT distributor_stays_one CHECK (NOT is_free OR account_id <> distributor_id)
);
INSERT INTO selling_accounts (account_id, distributor_id) SELECT account_id, account_id FROM distributors;

CREATE TABLE resellers (
    account_id      uuid   NOT NULL,  -- of the distributor
    reseller_id     uuid   NOT NULL,  -- the account that sells
    state           text   NOT NULL DEFAULT 'invited',
    name            text   NOT NULL,  -- of its shop, as buyers see it beside the distributor
    fee             bigint NOT NULL,  -- rupiah of each stamp on top of the distributor's, where the buyer pays it by our rails
    day_rupiah      bigint NOT NULL,  -- of the deposit that it may sell in a day (WIB)
    distributor_fee bigint NOT NULL,  -- of the terms of today
    fees_max        bigint NOT NULL,  -- what both fees may be together, when one of them was set last
    agreed_at       timestamptz NOT NULL DEFAULT now(),  -- when its distributor set name, fee and limit
    moved_at        timestamptz NOT NULL DEFAULT now(),  -- when it came into its state
    CONSTRAINT resellers_pkey PRIMARY KEY (account_id, reseller_id),
    CONSTRAINT reseller_state_is_known CHECK (state = ANY ('{invited,open,paused,ended}')),
    CONSTRAINT reseller_is_another CHECK (reseller_id <> account_id),
    CONSTRAINT reseller_is_possible CHECK (name <> '' AND fee >= 0 AND day_rupiah > 0),
    CONSTRAINT fees_are_within_their_bound CHECK (state = 'ended' OR fee + distributor_fee <= fees_max),
    CONSTRAINT reseller_has_a_distributor FOREIGN KEY (account_id) REFERENCES distributors
);
CREATE INDEX resellers_of_an_account ON resellers (reseller_id);

ALTER TABLE sales
    ADD COLUMN reseller_id uuid,  -- who sold it; NULL: the distributor itself
    ADD CONSTRAINT reseller_of_a_sale_is_known FOREIGN KEY (account_id, reseller_id) REFERENCES resellers,
    DROP CONSTRAINT one_sale_per_key,
    ADD CONSTRAINT one_sale_per_key UNIQUE NULLS NOT DISTINCT (account_id, idempotency_key, reseller_id);
-- What one sold today; and its list, newest first.
CREATE INDEX sales_of_a_reseller ON sales (account_id, reseller_id, made_at) WHERE reseller_id IS NOT NULL;
CREATE INDEX sales_listed_of_a_reseller ON sales (account_id, reseller_id, sale_id) WHERE reseller_id IS NOT NULL;

DROP FUNCTION IF EXISTS sale_make(uuid, uuid, text, bytea, uuid, uuid, uuid, integer, bigint, bigint, text, double precision,
    double precision, double precision, integer);
