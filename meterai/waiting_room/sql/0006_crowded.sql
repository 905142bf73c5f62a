-- Whether more came to a web process than it lets in by itself (waiting_room/entrance.py).
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE waiting_room_loads ADD COLUMN is_crowded boolean NOT NULL DEFAULT false;
