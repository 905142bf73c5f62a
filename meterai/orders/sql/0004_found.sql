-- An order is found by its number, and by the client's reference, without its account.
-- On a table of many rows an operator makes the index before, with CONCURRENTLY and the same name: then it is there.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE INDEX IF NOT EXISTS orders_by_id ON orders (order_id);
CREATE INDEX IF NOT EXISTS order_labels_in_all_accounts ON order_labels (reference, labelled_at)
    WHERE reference IS NOT NULL;
