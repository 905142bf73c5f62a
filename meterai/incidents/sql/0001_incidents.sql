-- Incidents: one record of what is wrong, who is told of it, and what the watchers agree on.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

-- Times of one record never go back, whatever the clock says: who writes takes the later of now and updated_at.
CREATE TABLE incidents (
    incident_id uuid        NOT NULL,
    kind        text        NOT NULL,
    state       text        NOT NULL,
    severity    text        NOT NULL,
    title_id    text        NOT NULL,
    title_en    text        NOT NULL,
    started_at  timestamptz NOT NULL,    -- since when it is felt, which may be before it was opened
    opened_at   timestamptz NOT NULL,
    begins_at   timestamptz,             -- planned, of a maintenance
    ends_at     timestamptz,
    resolved_at timestamptz,             -- when it was over: resolved, ended or cancelled
    reviewed_at timestamptz,
    updated_at  timestamptz NOT NULL,
    held_by     text        NOT NULL DEFAULT '',     -- rcv_... of a recovery under way
    is_watched  boolean     NOT NULL DEFAULT false,  -- opened by the watch, and nobody of staff has written since
    changed_id  text        NOT NULL DEFAULT '',     -- what was changed since, for the report
    changed_en  text        NOT NULL DEFAULT '',
    report      jsonb,                               -- the figures of the report, as of the review
    CONSTRAINT incidents_pkey PRIMARY KEY (incident_id),
    CONSTRAINT incident_kind_is_known CHECK (kind = ANY ('{incident,maintenance}')),
    CONSTRAINT incident_state_is_known CHECK (state = ANY
        ('{investigating,identified,monitoring,resolved,reviewed,announced,under_way,ended,cancelled}')),
    CONSTRAINT incident_state_is_of_its_kind CHECK
        ((kind = 'maintenance') = (state = ANY ('{announced,under_way,ended,cancelled}'))),
    CONSTRAINT incident_severity_is_known CHECK (severity = ANY ('{minor,major,critical}')),
    CONSTRAINT incident_has_words_in_both_languages CHECK (title_id <> '' AND title_en <> ''
        AND (changed_id = '') = (changed_en = '')),
    CONSTRAINT incident_times_are_in_order CHECK (opened_at >= started_at AND updated_at >= opened_at AND resolved_at >= started_at
        AND reviewed_at >= resolved_at AND updated_at >= resolved_at AND ends_at > begins_at),
    CONSTRAINT incident_that_is_over_has_its_time CHECK
        ((state = ANY ('{resolved,reviewed,ended,cancelled}')) = (resolved_at IS NOT NULL)),
    CONSTRAINT incident_that_is_reviewed_says_so CHECK ((state = 'reviewed') = (reviewed_at IS NOT NULL)
        AND (state = 'reviewed') = (changed_id <> '')),
    CONSTRAINT incident_that_is_held_is_not_over CHECK (held_by = '' OR resolved_at IS NULL),
    CONSTRAINT maintenance_is_planned CHECK
        ((kind = 'maintenance') = (begins_at IS NOT NULL) AND (begins_at IS NULL) = (ends_at IS NULL))
);
CREATE INDEX incidents_open ON incidents (started_at) WHERE resolved_at IS NULL;
CREATE INDEX incidents_over ON incidents (resolved_at DESC) WHERE resolved_at IS NOT NULL;

-- is_felt: the component is as the record says, from its begin until it is over.
CREATE TABLE incident_components (
    incident_id uuid    NOT NULL,
    component   text    NOT NULL,
    state       text    NOT NULL,
    is_felt     boolean NOT NULL,
    CONSTRAINT incident_components_pkey PRIMARY KEY (incident_id, component),
    CONSTRAINT incident_component_is_known CHECK (component = ANY
        ('{site,sign_in,buying,payment,stamping,checking,refunds,line}')),
    CONSTRAINT incident_component_state_is_known CHECK (state = ANY
        ('{operational,under_maintenance,degraded_performance,partial_outage,major_outage}'))
);
CREATE UNIQUE INDEX one_open_incident_of_a_component ON incident_components (component) WHERE is_felt;

CREATE TABLE incident_updates (
    incident_id uuid        NOT NULL,
    update_id   uuid        NOT NULL,
    number      integer     NOT NULL,  -- counted from 1 within the incident
    at          timestamptz NOT NULL,
    state       text        NOT NULL,  -- of the incident from then on
    text_id     text        NOT NULL,
    text_en     text        NOT NULL,
    actor       text        NOT NULL,
    source      text,                  -- a note of a watcher that became this update
    CONSTRAINT incident_updates_pkey PRIMARY KEY (incident_id, update_id),
    CONSTRAINT update_has_its_number UNIQUE (incident_id, number),
    CONSTRAINT update_has_words_in_both_languages CHECK (text_id <> '' AND text_en <> '')
);
CREATE UNIQUE INDEX one_update_of_a_note ON incident_updates (source) WHERE source IS NOT NULL;

-- State of each component as a majority of all watchers says it; one row each, written over.
CREATE TABLE incident_watched (
    component text        NOT NULL,
    state     text        NOT NULL,
    since     timestamptz NOT NULL,  -- as the majority says
    faults    text        NOT NULL DEFAULT '',
    told_at   timestamptz NOT NULL,
    CONSTRAINT incident_watched_pkey PRIMARY KEY (component)
);

CREATE TABLE incident_subscribers (
    subscriber_id uuid        NOT NULL,
    email         text        NOT NULL,
    language      text        NOT NULL,
    asked_at      timestamptz NOT NULL,  -- when the last mail that asks for a confirmation was queued
    confirmed_at  timestamptz,
    CONSTRAINT incident_subscribers_pkey PRIMARY KEY (subscriber_id),
    CONSTRAINT one_subscription_of_an_address UNIQUE (email),
    CONSTRAINT subscriber_language_is_known CHECK (language = ANY ('{id,en}'))
);
CREATE INDEX incident_subscribers_to_leave ON incident_subscribers (asked_at) WHERE confirmed_at IS NULL;
CREATE INDEX incident_subscribers_told ON incident_subscribers (subscriber_id) WHERE confirmed_at IS NOT NULL;

-- Updates that subscribers are being told of, in the order of their numbers; a row leaves once all are.
CREATE TABLE incident_mailings (
    update_id   uuid        NOT NULL,
    incident_id uuid        NOT NULL,
    told_to     uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',  -- the last subscriber
    CONSTRAINT incident_mailings_pkey PRIMARY KEY (update_id)
);
