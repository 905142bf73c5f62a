-- True for states of an open refund.  Inlined, so that queries use the indexes of those states.
-- Public: refunds, finance, for queries of open refunds.
CREATE OR REPLACE FUNCTION refund_is_open(p_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT p_state = ANY ('{requested,sent,accepted,refused}') $$;
