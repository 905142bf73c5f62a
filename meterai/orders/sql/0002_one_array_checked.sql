-- The checks of 0001 hold for every row of before.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '10min';

ALTER TABLE orders VALIDATE CONSTRAINT order_kind_is_known;
ALTER TABLE orders VALIDATE CONSTRAINT order_state_is_known;
ALTER TABLE orders VALIDATE CONSTRAINT paid_order_knows_its_payment;
