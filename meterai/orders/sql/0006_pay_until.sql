-- An order lapses with the way to pay that its buyer chose last, sooner or later than when it was placed.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE orders ADD COLUMN pay_until timestamptz;  -- NULL: nobody chose another way, it is lapses_at
CREATE INDEX orders_to_lapse_by_choice ON orders (pay_until)
    WHERE state = 'placed' AND pay_until IS NOT NULL;
