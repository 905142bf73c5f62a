-- Labels of the client, in a table of their own: no statement of the rush looks at it, and a row is only there
-- where something was written.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE stamping_labels (
    account_id  uuid        NOT NULL,
    stamping_id    uuid        NOT NULL,
    reference   text,                               -- the client's own; several may have it
    metadata    jsonb       NOT NULL DEFAULT '{}',
    labelled_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT stamping_labels_pkey PRIMARY KEY (account_id, stamping_id),
    CONSTRAINT stamping_labels_are_of_one FOREIGN KEY (account_id, stamping_id) REFERENCES stampings
);
CREATE INDEX stamping_labels_by_reference ON stamping_labels (account_id, reference, stamping_id)
    WHERE reference IS NOT NULL;
CREATE INDEX stamping_labels_to_blank ON stamping_labels (labelled_at)
    WHERE reference IS NOT NULL OR metadata <> '{}';
