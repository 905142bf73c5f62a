-- A refund whose call may still be open is not sent again, whatever hurries it: the lease of the
-- call (leased_until) is not the time of the next try (try_at), which news may bring forward.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE refunds ADD COLUMN leased_until timestamptz;
