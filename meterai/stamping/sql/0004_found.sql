-- A stamping is found by its number, by the digest of the original or of the stamped file, and by the client's
-- reference, without its account; those that were resumed or are stuck are listed.
-- On a table of many rows an operator makes the indexes before, with CONCURRENTLY and the same names: then they are there.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE INDEX IF NOT EXISTS stampings_by_id ON stampings (stamping_id);
CREATE INDEX IF NOT EXISTS stampings_by_original ON stampings (sha256_original);
CREATE INDEX IF NOT EXISTS stampings_by_stamped ON stampings (sha256_stamped) WHERE sha256_stamped IS NOT NULL;
CREATE INDEX IF NOT EXISTS stampings_stuck ON stampings (requested_at) WHERE state = 'reserved';
CREATE INDEX IF NOT EXISTS stamping_labels_in_all_accounts ON stamping_labels (reference, labelled_at)
    WHERE reference IS NOT NULL;
