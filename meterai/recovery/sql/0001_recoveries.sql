-- The way back after an outage: one recovery at a time, and each step it took.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE recoveries (
    recovery_id uuid        NOT NULL,
    incident_id uuid        NOT NULL,
    state       text        NOT NULL,
    number      integer     NOT NULL,  -- of its last step
    is_going    boolean     NOT NULL DEFAULT false,  -- goes on by itself
    before      jsonb       NOT NULL DEFAULT '{}',   -- what was there before it began, to be put back
    backs       integer     NOT NULL DEFAULT 0,      -- how often numbers led back since it last went by hand
    holds_since timestamptz,           -- the numbers hold without a break
    worse_since timestamptz,           -- the numbers are worse without a break
    looked_at   timestamptz NOT NULL,
    started_at  timestamptz NOT NULL,
    moved_at    timestamptz NOT NULL,
    ended_at    timestamptz,
    CONSTRAINT recoveries_pkey PRIMARY KEY (recovery_id),
    CONSTRAINT recovery_state_is_known CHECK (state IN
        ('closing', 'stampings', 'paid', 'checking', 'buying', 'sign_up', 'done', 'abandoned')),
    CONSTRAINT recovery_ended_says_when CHECK ((state IN ('done', 'abandoned')) = (ended_at IS NOT NULL)),
    CONSTRAINT recovery_times_are_in_order CHECK (moved_at >= started_at AND ended_at >= moved_at),
    CONSTRAINT recovery_number_counts CHECK (number >= 1 AND backs >= 0)
);
CREATE UNIQUE INDEX recovery_goes_alone ON recoveries ((true)) WHERE ended_at IS NULL;

CREATE TABLE recovery_steps (
    recovery_id uuid        NOT NULL,
    number      integer     NOT NULL,
    state       text        NOT NULL,  -- that it came to
    event       text        NOT NULL,
    actor       text        NOT NULL,
    numbers     jsonb       NOT NULL,  -- as they were when it came there
    entered_at  timestamptz NOT NULL,
    CONSTRAINT recovery_steps_pkey PRIMARY KEY (recovery_id, number),
    CONSTRAINT step_event_is_known CHECK (event IN ('started', 'next', 'back', 'abandoned')),
    CONSTRAINT step_begins_its_recovery CHECK ((number = 1) = (event = 'started'))
);
