-- A lot says how many of its stamps leave the world as soon as nobody uses them: what they were paid with was taken
-- back.  What takes stamps back posts their entry itself, so the function of before is taken away: a statement
-- of before that still runs fails and is tried again.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE stamp_lots
    ADD COLUMN owed integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT lot_owes_no_less_than_nothing CHECK (owed >= 0) NOT VALID;
DROP FUNCTION IF EXISTS stamps_return(uuid, uuid, bigint);
-- Stamps in use of orders whose money was taken back leave the world as they come free.
UPDATE stamp_lots l SET owed = (b.lost + l.unit_price + l.service_fee - 1) / (l.unit_price + l.service_fee)
FROM chargebacks b JOIN orders o ON o.account_id = b.account_id AND o.order_id = b.subject
    AND o.paid_attempt = b.attempt_id AND o.paid_payment = b.payment
WHERE b.lost > 0 AND l.account_id = o.account_id AND l.lot_id = o.order_id;
