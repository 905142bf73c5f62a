-- Staff find a batch by the reference of its client.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE INDEX batches_by_reference ON batches (reference) WHERE reference IS NOT NULL;
