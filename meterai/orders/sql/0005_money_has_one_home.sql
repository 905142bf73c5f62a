-- Money of payments, taken back and given back, is of the room payments; what an order has use for is of orders.  Functions
-- of before are taken away: a statement of before that still runs one fails, and is tried again.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

DROP FUNCTION IF EXISTS order_give_back(uuid, uuid, uuid, text, bigint, text, text);
DROP FUNCTION IF EXISTS order_in_flight(uuid, uuid);
DROP FUNCTION IF EXISTS order_returning_due(uuid, uuid, timestamptz);
