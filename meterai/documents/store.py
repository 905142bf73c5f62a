"""SQL of documents, one function per question."""

from collections.abc import Sequence
from uuid import UUID

KEEP = "SELECT document_keep(%s, %s, %s, %s, %s, %s) AS name"
DOCUMENT = """
SELECT account_id, sha256, name, bytes, kept_until, forgotten_at FROM documents
WHERE account_id = %s AND sha256 = %s
"""
# A row that another transaction holds is left for the next run and does not stop the others.
FORGET = """
UPDATE documents SET forgotten_at = %s
WHERE (account_id, sha256) IN (
    SELECT account_id, sha256 FROM documents WHERE forgotten_at IS NULL AND kept_until <= %s
    ORDER BY kept_until LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING account_id, sha256
"""
# Of the documents that objects are named after: those whose bytes are still wanted.
WANTED = """
SELECT d.account_id, d.sha256
FROM unnest(%s::uuid[], %s::bytea[]) AS named (account_id, sha256)
JOIN documents d ON d.account_id = named.account_id AND d.sha256 = named.sha256
WHERE d.forgotten_at IS NULL
"""
STORE = "SELECT store_id FROM object_store"
MARK_STORE = """
INSERT INTO object_store (store_id) VALUES (%s)
ON CONFLICT ON CONSTRAINT object_store_pkey DO NOTHING
"""
ADOPT_STORE = """
INSERT INTO object_store (store_id) VALUES (%s)
ON CONFLICT ON CONSTRAINT object_store_pkey
DO UPDATE SET store_id = excluded.store_id, marked_at = now()
"""


def columns(named: Sequence[tuple[UUID, bytes]]) -> tuple[list[UUID], list[bytes]]:
    """Documents as the two arrays that `WANTED` takes."""
    return [account for account, _ in named], [sha256 for _, sha256 in named]
