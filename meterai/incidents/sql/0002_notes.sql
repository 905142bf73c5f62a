-- Notes of watchers as proposals to staff, how long the watchers agree, and mailboxes that were asked.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

-- Words that staff typed at the watchers, as these carry them now; an update of an incident only once staff take them.
CREATE TABLE incident_notes (
    source    text        NOT NULL,  -- the watcher and the number of its note
    at        timestamptz NOT NULL,
    component text        NOT NULL,
    text_id   text        NOT NULL,
    text_en   text        NOT NULL,
    CONSTRAINT incident_notes_pkey PRIMARY KEY (source)
);

-- Since when this installation sees, without a gap, that the component works, or that it does not.
ALTER TABLE incident_watched ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();

-- The mailbox of an address: without what follows a plus sign.
CREATE INDEX incident_subscribers_of_mailbox ON incident_subscribers
    (regexp_replace(email, '[+][^@]*@', '@'), asked_at);
