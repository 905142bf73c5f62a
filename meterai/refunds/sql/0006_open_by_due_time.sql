-- Payments have an index of open refunds that knows every open state.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

DROP INDEX refunds_open;
