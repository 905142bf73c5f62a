-- A content is kept while a document of any account wants it, and is looked for by its digest alone.
-- On a table of many rows an operator makes the index before, with CONCURRENTLY and the same name: then it is there.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE INDEX IF NOT EXISTS documents_of_content ON documents (sha256) WHERE forgotten_at IS NULL;
