-- Ways back: by the provider, by transfer to an account that the buyer named, or none yet, until one is named.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '10min';

CREATE TABLE payees (
    account_id uuid        NOT NULL,
    payee_id   uuid        NOT NULL,
    bank_code  text        NOT NULL,  -- three digits
    account_no text        NOT NULL,
    holder     text        NOT NULL,  -- the name that its bank confirmed
    named_at   timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,           -- another was named, or its bank takes nothing; NULL: current
    CONSTRAINT payees_pkey PRIMARY KEY (account_id, payee_id)
);
CREATE UNIQUE INDEX one_current_payee ON payees (account_id) WHERE ended_at IS NULL;
CREATE INDEX payees_by_account ON payees (bank_code, account_no);

CREATE TABLE transfers (
    account_id   uuid        NOT NULL,
    transfer_id  uuid        NOT NULL,
    provider     text        NOT NULL,
    payee_id     uuid        NOT NULL,
    amount       bigint      NOT NULL,  -- of all refunds and compensations that it carries
    transfer_no  text        NOT NULL,  -- ours, at the provider: the same in every try
    state        text        NOT NULL DEFAULT 'planned',
    planned_at   timestamptz NOT NULL DEFAULT now(),
    tries        integer     NOT NULL DEFAULT 0,
    try_at       timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    tried_at     timestamptz,
    last_answer  text,
    provider_transfer_no text,
    settled_at   timestamptz,
    returned_at  timestamptz,
    recorded_at  timestamptz,           -- when a record was first read that has it
    look_at      timestamptz,           -- when it is looked for again; NULL: never
    unheard_since timestamptz,          -- since when that has no answer
    lost         bigint      NOT NULL DEFAULT 0,  -- carried out after it was refused, and paid again elsewhere
    CONSTRAINT transfers_pkey PRIMARY KEY (account_id, transfer_id),
    CONSTRAINT transfer_has_an_amount CHECK (amount > 0 AND lost BETWEEN 0 AND amount),
    CONSTRAINT transfer_state_is_known
        CHECK (state = ANY ('{planned,sent,accepted,refused,settled,returned,void}')),
    CONSTRAINT transfer_is_settled_with_proof CHECK ((state IN ('settled', 'returned'))
        = (settled_at IS NOT NULL AND provider_transfer_no IS NOT NULL)),
    CONSTRAINT transfer_is_to_a_payee FOREIGN KEY (account_id, payee_id) REFERENCES payees
);
CREATE INDEX transfers_to_try ON transfers (try_at) WHERE state = ANY ('{planned,sent,accepted}');
CREATE INDEX transfers_to_look_up ON transfers (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX transfers_not_made ON transfers (account_id) WHERE state = ANY ('{refused,returned,void}');
CREATE INDEX transfers_by_end ON transfers (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE compensations (
    account_id  uuid        NOT NULL,
    refund_id   uuid        NOT NULL,  -- of all refunds that took another way, the first
    day         integer     NOT NULL,  -- after its due time, from 1
    amount      bigint      NOT NULL,
    begun_at    timestamptz NOT NULL DEFAULT now(),
    transfer_id uuid,                  -- the last that carries, or carried, it
    CONSTRAINT compensations_pkey PRIMARY KEY (account_id, refund_id, day),
    CONSTRAINT compensation_has_an_amount CHECK (amount > 0 AND day > 0),
    CONSTRAINT compensation_is_of_a_refund FOREIGN KEY (account_id, refund_id) REFERENCES refunds,
    CONSTRAINT compensation_goes_by_a_transfer FOREIGN KEY (account_id, transfer_id) REFERENCES transfers
);
CREATE INDEX compensations_to_plan ON compensations (account_id) WHERE transfer_id IS NULL;
CREATE INDEX compensations_by_transfer ON compensations (account_id, transfer_id);

CREATE TABLE float_balances (
    provider text        PRIMARY KEY,
    rupiah   bigint      NOT NULL,
    asked_at timestamptz NOT NULL
);

ALTER TABLE refunds
    ADD COLUMN way text NOT NULL DEFAULT 'provider',
    ADD COLUMN transfer_id uuid,        -- the last that carries, or carried, it
    ADD COLUMN first_id uuid,           -- of a refund by another way: the one that began
    ADD COLUMN wanted_at timestamptz,   -- since when its buyer is to name an account
    ADD COLUMN reroute_at timestamptz,  -- a person wants another way: from then on, where the record does not have it
    ADD COLUMN waited_seconds bigint NOT NULL DEFAULT 0,  -- past its due time, for an account that was named since
    DROP CONSTRAINT refund_state_is_known,
    ADD CONSTRAINT refund_state_is_known CHECK (state = ANY
        ('{requested,sent,accepted,refused,settled,rerouted,void}')),
    ADD CONSTRAINT refund_way_is_known CHECK (way = ANY ('{provider,transfer,claim}')),
    ADD CONSTRAINT refund_waits_for_an_account CHECK (wanted_at IS NULL OR (way = 'claim' AND state = 'requested')),
    ADD CONSTRAINT refund_goes_by_a_transfer FOREIGN KEY (account_id, transfer_id) REFERENCES transfers;
DROP INDEX refunds_to_try;
CREATE INDEX refunds_to_try ON refunds (try_at) WHERE state = ANY ('{requested,sent,accepted,refused}');
-- In place of refunds_open, which the room above made and drops.
CREATE INDEX refunds_by_due_time ON refunds (due_at) WHERE state = ANY ('{requested,sent,accepted,refused}');
CREATE INDEX refunds_elsewhere ON refunds (account_id) WHERE way <> 'provider' AND state = 'requested';
CREATE INDEX refunds_to_transfer ON refunds (account_id) WHERE way = 'transfer' AND state = 'requested';
CREATE INDEX refunds_by_transfer ON refunds (account_id, transfer_id) WHERE transfer_id IS NOT NULL;
