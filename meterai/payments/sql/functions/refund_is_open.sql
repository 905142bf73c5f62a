-- States of a refund that is not over.  Inlined, so that the indexes of those states serve it.
-- Public: refunds, finance, whose queries ask for open refunds.
CREATE OR REPLACE FUNCTION refund_is_open(p_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT p_state = ANY ('{requested,sent,accepted,refused}') $$;
