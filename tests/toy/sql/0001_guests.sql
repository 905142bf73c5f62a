SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE guests (
    account_id uuid        NOT NULL,
    guest_id   uuid        NOT NULL,
    name       text        NOT NULL,
    welcomes   integer     NOT NULL DEFAULT 0,
    entered_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT guests_pkey PRIMARY KEY (account_id, guest_id),
    CONSTRAINT guest_is_entered_once UNIQUE (account_id, name)
);
CREATE INDEX guests_to_leave ON guests (entered_at);
