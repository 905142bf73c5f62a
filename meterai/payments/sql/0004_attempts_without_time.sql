-- An audit reads attempts by who wrote them and no longer by their time; only the hash of what happened
-- since the last point did, beside which it reads the whole table anyway.  Each order paid for this index.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

DROP INDEX payment_attempts_by_time;
