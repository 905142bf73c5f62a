"""SQL of documents, one function per question."""

from uuid import UUID

from meterai.plumbing.database import Row, Tx
from meterai.plumbing.rounds import not_paused

KEEP = "SELECT document_keep(%s, %s, %s, %s, %s, %s) AS name"
TO_FORGET = f"""
SELECT account_id, sha256 FROM documents o WHERE forgotten_at IS NULL AND kept_until <= %s
    AND {not_paused("forget_documents", "sha256")}
ORDER BY kept_until LIMIT %s
"""  # noqa: S608 - names are constants
FORGOTTEN = """
UPDATE documents SET forgotten_at = %s WHERE account_id = %s AND sha256 = %s AND kept_until <= %s
"""


async def document(tx: Tx, account: UUID, sha256: bytes) -> Row | None:
    """One document."""
    return await tx.one(
        "SELECT account_id, sha256, name, bytes, kept_until, forgotten_at FROM documents"
        " WHERE account_id = %s AND sha256 = %s",
        account,
        sha256,
    )
