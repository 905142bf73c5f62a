-- True for states of an open refund.  Inlined into queries, so that they use the partial indexes on these states.
-- Public: refunds, finance, for queries of open refunds.
CREATE OR REPLACE FUNCTION refund_is_open(p_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT p_state = ANY ('{requested,sent,accepted,refused}') $$;
