-- Labels of the client, in a table of their own: no statement of the rush looks at it, and a row is only there
-- where something was written.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE order_labels (
    account_id  uuid        NOT NULL,
    order_id    uuid        NOT NULL,
    reference   text,                               -- the client's own; several may have it
    metadata    jsonb       NOT NULL DEFAULT '{}',
    labelled_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT order_labels_pkey PRIMARY KEY (account_id, order_id),
    CONSTRAINT order_labels_are_of_one FOREIGN KEY (account_id, order_id) REFERENCES orders
);
CREATE INDEX order_labels_by_reference ON order_labels (account_id, reference, order_id)
    WHERE reference IS NOT NULL;
CREATE INDEX order_labels_to_blank ON order_labels (labelled_at)
    WHERE reference IS NOT NULL OR metadata <> '{}';
