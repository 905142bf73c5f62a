-- The longest mean wait at a station of a web process, as a share of its bound (plumbing/stations.py).
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE waiting_room_loads ADD COLUMN pressure double precision NOT NULL DEFAULT 0;
