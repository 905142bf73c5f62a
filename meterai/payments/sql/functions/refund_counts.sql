-- True for states of a refund whose money has left us or is still to leave; in all other states the money is with its payment
-- again.
-- Public: refunds, for its invariants.
CREATE OR REPLACE FUNCTION refund_counts(p_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT p_state <> ALL ('{void,rerouted}') $$;
