-- True for states of a refund whose money left or is on its way; the money of any other is with its payment again.
-- Public: refunds, for its invariants.
CREATE OR REPLACE FUNCTION refund_counts(p_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT p_state <> ALL ('{void,rerouted}') $$;
