-- When a buyer last said to have paid and had the provider asked, so that nobody has it asked without end.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE payment_attempts ADD COLUMN buyer_asked_at timestamptz;
