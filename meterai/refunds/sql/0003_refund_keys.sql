-- An Idempotency-Key of a refund that was asked for stands for it, as those of orders and stampings do.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE refund_keys (
    account_id      uuid        NOT NULL,
    idempotency_key text        NOT NULL,
    request_hash    bytea       NOT NULL,
    refund_id       uuid        NOT NULL,
    used_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT refund_keys_pkey PRIMARY KEY (account_id, idempotency_key),
    CONSTRAINT refund_key_is_of_a_refund FOREIGN KEY (account_id, refund_id) REFERENCES refunds
);
