-- A question to a provider remembers since when it has no answer: first asked then, and not answered since.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE payment_attempts ADD COLUMN unheard_since timestamptz;  -- what became of it
ALTER TABLE refunds ADD COLUMN unheard_since timestamptz;           -- whether the record has it
ALTER TABLE chargebacks ADD COLUMN unheard_since timestamptz;       -- whether its payment was given back
CREATE INDEX payment_attempts_unheard ON payment_attempts (unheard_since) WHERE unheard_since IS NOT NULL;
CREATE INDEX refunds_unheard ON refunds (unheard_since) WHERE unheard_since IS NOT NULL;
