-- Outage records: the time, what was derived, and their files for ever.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE outages (
    outage_id       uuid        NOT NULL,
    state           text        NOT NULL DEFAULT 'proposed',
    begins_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL,
    incident_id     uuid,                 -- of another room; none where no incident was opened
    replaces_id     uuid,
    findings        jsonb       NOT NULL, -- by act when it failed and when nobody knows; watchers with keys and hashes
    findings_sha256 bytea       NOT NULL, -- what staff saw when they confirmed
    proposed_by     text        NOT NULL,
    proposed_at     timestamptz NOT NULL,
    confirmed_at    timestamptz,
    sealed_at       timestamptz,          -- its files are there, and it is public
    ended_at        timestamptz,          -- withdrawn or replaced
    CONSTRAINT outages_pkey PRIMARY KEY (outage_id),
    CONSTRAINT outage_state_is_known CHECK (state IN ('proposed', 'withdrawn', 'confirmed', 'replaced')),
    CONSTRAINT outage_is_of_whole_minutes CHECK (begins_at = date_trunc('minute', begins_at, 'UTC')
        AND ends_at = date_trunc('minute', ends_at, 'UTC')),
    CONSTRAINT outage_is_a_day_at_most CHECK (ends_at > begins_at AND ends_at <= begins_at + interval '24 hours'),
    CONSTRAINT outage_is_over CHECK (ends_at <= proposed_at),
    CONSTRAINT findings_have_their_hash CHECK (octet_length(findings_sha256) = 32),
    CONSTRAINT confirmed_outage_has_its_time CHECK ((state IN ('confirmed', 'replaced')) = (confirmed_at IS NOT NULL)),
    CONSTRAINT ended_outage_has_its_time CHECK ((state IN ('withdrawn', 'replaced')) = (ended_at IS NOT NULL)),
    CONSTRAINT only_confirmed_outages_are_sealed CHECK (sealed_at IS NULL OR confirmed_at IS NOT NULL),
    CONSTRAINT confirmed_outages_do_not_overlap EXCLUDE USING gist (tstzrange(begins_at, ends_at) WITH &&)
        WHERE (state = 'confirmed')
);
CREATE INDEX outages_to_seal ON outages (confirmed_at) WHERE confirmed_at IS NOT NULL AND sealed_at IS NULL;
CREATE INDEX outages_of_incident ON outages (incident_id) WHERE incident_id IS NOT NULL;

-- Files of a proposal are the readings of each watcher, `readings/<name>`; files of a confirmed record the signed document and the PDFs.
CREATE TABLE outage_files (
    outage_id uuid        NOT NULL,
    file      text        NOT NULL,
    sha256    bytea       NOT NULL,
    content   bytea       NOT NULL,
    added_at  timestamptz NOT NULL,
    CONSTRAINT outage_files_pkey PRIMARY KEY (outage_id, file),
    CONSTRAINT file_has_its_hash CHECK (sha256 = sha256(content))
);
