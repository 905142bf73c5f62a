-- Mails: what was said to whom, and whether it went out.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE mails (
    account_id uuid        NOT NULL,
    mail_id    uuid        NOT NULL,
    cause_key  text        NOT NULL,  -- made from the cause: one cause, one mail
    template   text        NOT NULL,
    language   text        NOT NULL,
    recipient  text        NOT NULL,
    facts      jsonb       NOT NULL,  -- never a code or a document; those are derived or linked
    state      text        NOT NULL DEFAULT 'queued',
    queued_at  timestamptz NOT NULL DEFAULT now(),
    try_at     timestamptz NOT NULL DEFAULT now(),
    tries      integer     NOT NULL DEFAULT 0,
    sent_at    timestamptz,
    CONSTRAINT mails_pkey PRIMARY KEY (account_id, mail_id),
    CONSTRAINT one_mail_per_cause UNIQUE (account_id, cause_key),
    CONSTRAINT mail_state_is_known CHECK (state IN ('queued', 'sent', 'given_up')),
    CONSTRAINT sent_mail_has_its_time CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);
CREATE INDEX mails_to_send ON mails (try_at) WHERE state = 'queued';
