-- Lines of people, the turns they led to, and what the processes say of themselves.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE waiting_room_lines (
    line_id      uuid             NOT NULL,
    name         text             NOT NULL,
    act          text             NOT NULL,
    state        text             NOT NULL,
    is_automatic boolean          NOT NULL,  -- it stands in the way only while there is too much
    is_engaged   boolean          NOT NULL,
    is_paused    boolean          NOT NULL DEFAULT false,
    policy       text             NOT NULL DEFAULT 'measured',
    rate         double precision NOT NULL,  -- admissions a second
    rate_max     double precision NOT NULL,
    reason_id    text             NOT NULL DEFAULT '',
    reason_en    text             NOT NULL DEFAULT '',
    gathers_at   timestamptz,
    opens_at     timestamptz,
    closes_at    timestamptz,
    next_number  bigint           NOT NULL DEFAULT 1,
    serving      bigint           NOT NULL DEFAULT 0,
    carried      double precision NOT NULL DEFAULT 0,  -- the part of a number that was not called yet
    away         double precision NOT NULL DEFAULT 0,  -- of those called, the share that did not come
    flow_fast    double precision NOT NULL DEFAULT 0,
    flow_slow    double precision NOT NULL DEFAULT 0,
    spread       double precision NOT NULL,
    held_share   double precision,
    learned_to   timestamptz      NOT NULL,  -- waits that ended until then are learned from
    busy_at      timestamptz,  -- when there was too much last
    decreased_at timestamptz,
    engaged_at   timestamptz,
    advanced_at  timestamptz      NOT NULL,
    created_at   timestamptz      NOT NULL,
    ended_at     timestamptz,
    document     text             NOT NULL DEFAULT '',  -- now serving, signed
    CONSTRAINT waiting_room_lines_pkey PRIMARY KEY (line_id),
    CONSTRAINT line_act_is_known CHECK (act IN ('buy', 'check')),
    CONSTRAINT line_state_is_known CHECK
        (state IN ('planned', 'gathering', 'drawing', 'open', 'closing', 'ended')),
    CONSTRAINT line_policy_is_known CHECK (policy IN ('measured', 'fixed')),
    CONSTRAINT line_serves_numbers_it_gave CHECK (serving >= 0 AND serving < next_number),
    CONSTRAINT line_rate_is_possible CHECK (rate > 0 AND rate <= rate_max AND rate_max <= 10000),
    CONSTRAINT line_away_is_a_share CHECK (away BETWEEN 0 AND 0.8),
    CONSTRAINT line_carries_a_part CHECK (carried >= 0 AND carried < 1),
    CONSTRAINT line_times_are_in_order CHECK (opens_at > gathers_at AND closes_at > opens_at),
    CONSTRAINT line_ended_says_when CHECK ((state = 'ended') = (ended_at IS NOT NULL))
);
-- A name, and an act, may be used again by a line after one that has ended.
CREATE UNIQUE INDEX line_name_is_taken_once ON waiting_room_lines (name) WHERE state <> 'ended';
CREATE UNIQUE INDEX line_guards_alone ON waiting_room_lines (act) WHERE state <> 'ended';

CREATE TABLE waiting_room_turns (
    line_id     uuid        NOT NULL,
    number      bigint      NOT NULL,
    holder      bytea       NOT NULL,
    taken_at    timestamptz NOT NULL,
    admitted_at timestamptz NOT NULL,
    shown_low   integer     NOT NULL,  -- seconds of waiting that were shown when the place was taken
    shown_high  integer     NOT NULL,
    waited      integer     NOT NULL,  -- seconds until the number was called, as far as it is known
    used_by     uuid,                  -- the account that used it
    ended_at    timestamptz,           -- when: somebody else may come in
    CONSTRAINT waiting_room_turns_pkey PRIMARY KEY (line_id, number),
    CONSTRAINT turn_has_a_holder CHECK (octet_length(holder) = 16),
    CONSTRAINT turn_follows_place CHECK (number > 0)
);
CREATE INDEX waiting_room_turns_in_time ON waiting_room_turns (line_id, admitted_at);
CREATE INDEX waiting_room_turns_of_account ON waiting_room_turns (used_by, line_id)
    WHERE used_by IS NOT NULL;
CREATE INDEX waiting_room_turns_to_blank ON waiting_room_turns (admitted_at)
    WHERE used_by IS NOT NULL;

CREATE TABLE waiting_room_places (
    account_id uuid        NOT NULL,
    line_id    uuid        NOT NULL,
    number     bigint      NOT NULL,
    holder     bytea       NOT NULL,
    taken_at   timestamptz NOT NULL,
    shown_low  integer     NOT NULL,
    shown_high integer     NOT NULL,
    kept_at    timestamptz NOT NULL,
    wants_mail boolean     NOT NULL DEFAULT false,  -- when the turn is near
    told_at    timestamptz,
    CONSTRAINT waiting_room_places_pkey PRIMARY KEY (account_id, line_id),
    CONSTRAINT place_has_a_number CHECK (number > 0)
);
CREATE INDEX waiting_room_places_to_tell ON waiting_room_places (line_id, number)
    WHERE wants_mail AND told_at IS NULL;
CREATE INDEX waiting_room_places_to_leave ON waiting_room_places (kept_at);

-- How a line went, each few seconds: where estimates and the assessment come from.
CREATE TABLE waiting_room_samples (
    line_id     uuid             NOT NULL,
    at          timestamptz      NOT NULL,
    serving     bigint           NOT NULL,
    next_number bigint           NOT NULL,
    admitted    bigint           NOT NULL,  -- since the sample before
    inside      integer          NOT NULL,
    rate        double precision NOT NULL,
    is_engaged  boolean          NOT NULL,
    is_paused   boolean          NOT NULL,
    refused     double precision NOT NULL,
    CONSTRAINT waiting_room_samples_pkey PRIMARY KEY (line_id, at)
);

-- The last word of each web process about itself.
CREATE UNLOGGED TABLE waiting_room_loads (
    process  text             NOT NULL,
    told_at  timestamptz      NOT NULL,
    refused  double precision NOT NULL,  -- requests of who pays or has paid, told to come again, a second
    arrivals double precision NOT NULL,  -- who came to buy, a second
    CONSTRAINT waiting_room_loads_pkey PRIMARY KEY (process)
);
CREATE INDEX waiting_room_loads_to_leave ON waiting_room_loads (told_at);

-- Before buying there is a line from the first day on; while all can be served nobody sees it.
INSERT INTO waiting_room_lines
    (line_id, name, act, state, is_automatic, is_engaged, rate, rate_max, spread, learned_to, advanced_at,
     created_at)
VALUES ('00000000-0000-7000-8000-000000000b09', 'buying', 'buy', 'open', true, false, 5, 200, 1.6, now(), now(), now());
