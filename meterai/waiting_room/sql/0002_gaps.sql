-- Numbers that a process leased and nobody took, below others that were taken.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE waiting_room_gaps (
    line_id uuid   NOT NULL,
    first   bigint NOT NULL,
    last    bigint NOT NULL,
    CONSTRAINT waiting_room_gaps_pkey PRIMARY KEY (line_id, first),
    CONSTRAINT gap_is_of_numbers CHECK (first > 0 AND last >= first)
);
