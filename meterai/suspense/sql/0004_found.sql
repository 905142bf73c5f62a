-- An item is found by a number that it speaks of, also after it was resolved.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE INDEX suspense_items_about ON suspense_items (reference) WHERE reference IS NOT NULL;
CREATE INDEX suspense_items_by_number ON suspense_items (payment) WHERE payment IS NOT NULL;
