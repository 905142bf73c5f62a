-- Staff find a sale by its id, and count the sales that nobody paid.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE INDEX sales_by_id ON sales (sale_id);
CREATE INDEX sales_ended ON sales (ended_at) WHERE state = 'ended';
