"""Query that counts the cases of a public promise in a period: a document is forgotten at the end of its retention."""

from meterai.plumbing.db.figures import PromiseQuery, within

FORGOTTEN = f"""
SELECT count(*) AS asked,
       count(*) FILTER (WHERE coalesce(forgotten_at, least(ends, now())) > kept_until + interval '1 day') AS broken
FROM documents, period WHERE {within("kept_until")} AND kept_until < now()
"""
PROMISES = (PromiseQuery(8, "document_is_forgotten", FORGOTTEN),)
