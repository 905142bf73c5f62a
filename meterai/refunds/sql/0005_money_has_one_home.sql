-- Refunds of payments are of the room payments: see orders/0005.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

DROP FUNCTION IF EXISTS refund_denied(uuid, uuid, uuid, text, bigint);
DROP FUNCTION IF EXISTS refund_end_order(uuid, uuid, boolean);
DROP FUNCTION IF EXISTS refund_finish_order(uuid, uuid);
DROP FUNCTION IF EXISTS refund_found(uuid, uuid, uuid, text, bigint, text[], bigint[]);
DROP FUNCTION IF EXISTS refund_found_stamps(uuid, orders, stamp_lots, integer, bigint);
DROP FUNCTION IF EXISTS refund_not_executed(uuid, uuid, uuid, text, timestamptz);
DROP FUNCTION IF EXISTS refund_recover(uuid, uuid, uuid, text);
DROP FUNCTION IF EXISTS refund_recover_order(uuid, uuid, uuid, text);
DROP FUNCTION IF EXISTS refund_request(uuid, uuid, text, text, uuid, uuid, text, bigint, integer, text, text, timestamptz);
DROP FUNCTION IF EXISTS refund_restored(uuid, uuid, uuid, text, bigint, text);
DROP FUNCTION IF EXISTS refund_surplus(uuid, uuid, text, text, uuid, uuid, text, bigint, text, timestamptz);
DROP FUNCTION IF EXISTS refund_unassigned(uuid, uuid, uuid, text);
DROP FUNCTION IF EXISTS refund_unused(uuid, uuid, uuid, text, text, text, timestamptz);
DROP FUNCTION IF EXISTS refund_won(uuid, uuid, uuid, text);
