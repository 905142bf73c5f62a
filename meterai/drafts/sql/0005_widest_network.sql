-- Who has a /48 of IPv6 has 65,536 networks: what they hold together is bounded too.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE drafts ADD COLUMN widest text;  -- network, a /48 or a /24; null where it began before this column
CREATE INDEX drafts_of_widest ON drafts (widest);
