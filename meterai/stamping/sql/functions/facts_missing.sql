-- Refuses 'document_facts_missing' with the name of the first missing field. Called only for an account whose documents
-- must have all facts.
CREATE OR REPLACE FUNCTION facts_missing(p_field text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse('document_facts_missing', jsonb_build_object('field', p_field));
    RETURN true;
END $$;
