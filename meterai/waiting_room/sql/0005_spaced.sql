-- Places that are called by turns of networks, and have no number of their own (spacing.py).
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

-- By the numbers with which they are called; forgotten once those are.
CREATE TABLE waiting_room_spaced (
    line_id uuid   NOT NULL,
    first   bigint NOT NULL,
    last    bigint NOT NULL,
    places  bigint NOT NULL,
    CONSTRAINT waiting_room_spaced_pkey PRIMARY KEY (line_id, first, last),
    CONSTRAINT spaced_places_are_some CHECK (first > 0 AND last >= first AND places >= 0)
);

ALTER TABLE waiting_room_lines
    ADD COLUMN next_serial bigint NOT NULL DEFAULT 1099511627776,  -- 2^40: no number comes so far
    ADD COLUMN called double precision NOT NULL DEFAULT 0,  -- places, since there is this column
    ADD COLUMN spaced bigint[] NOT NULL DEFAULT '{}',  -- first, last, places of each crowd, as the document tells
    DROP CONSTRAINT line_carries_a_part,
    ADD CONSTRAINT line_carries_no_debt CHECK (carried >= 0) NOT VALID;
ALTER TABLE waiting_room_samples ADD COLUMN called double precision;
-- The number with which a spaced place was called; its own is a serial.
ALTER TABLE waiting_room_turns ADD COLUMN called_with bigint;
CREATE INDEX waiting_room_turns_called_with ON waiting_room_turns (line_id, called_with)
    WHERE called_with IS NOT NULL;
ALTER TABLE waiting_room_places
    ADD COLUMN serial bigint NOT NULL DEFAULT 0,  -- 0: the number is its own
    ADD COLUMN since  bigint NOT NULL DEFAULT 0;
