-- What a document is, as the law asks a collector to say it; in a table of its own, since few rows have it.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE stamping_facts (
    account_id      uuid        NOT NULL,
    stamping_id     uuid        NOT NULL,
    type            text,
    number          text,
    dated           date,
    value           bigint,  -- rupiah
    party_name      text,
    identity_kind   text,
    identity_number text,
    told_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT stamping_facts_pkey PRIMARY KEY (account_id, stamping_id),
    CONSTRAINT document_type_is_known CHECK (type = ANY ('{4a,4b,3,2}')),
    CONSTRAINT identity_kind_is_known CHECK (identity_kind = ANY ('{KTP,NPWP,other}')),
    CONSTRAINT stamping_facts_are_of_one FOREIGN KEY (account_id, stamping_id) REFERENCES stampings
);
CREATE INDEX stamping_facts_to_leave ON stamping_facts (told_at);
-- The stampings of a month.
CREATE INDEX stampings_by_delivery ON stampings (account_id, delivered_at) WHERE delivered_at IS NOT NULL;

-- Accounts whose documents must have them.
CREATE TABLE facts_demanded (
    account_id  uuid        NOT NULL,
    demanded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT facts_demanded_pkey PRIMARY KEY (account_id)
);
