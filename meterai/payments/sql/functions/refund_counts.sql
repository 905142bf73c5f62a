-- States of a refund whose money left, or is on its way; money of any other is with its payment again.
-- Public: refunds, whose invariants count it.
CREATE OR REPLACE FUNCTION refund_counts(p_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT p_state <> ALL ('{void,rerouted}') $$;
