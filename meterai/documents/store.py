"""SQL of documents, one function per question."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from meterai.documents.model import DocumentKey
from meterai.plumbing.database import ReadTx, Tx
from meterai.plumbing.rows import RowMapper

_IS_KEPT = """
SELECT forgotten_at IS NULL AS is_kept FROM documents WHERE account_id = %s AND sha256 = %s
"""
_KEEP_LONGER = """
UPDATE documents SET kept_until = greatest(kept_until, %s)
WHERE account_id = %s AND sha256 = ANY (%s) AND forgotten_at IS NULL
"""
# A row that another transaction holds is left for the next run and does not stop the others.
_FORGET = """
UPDATE documents SET forgotten_at = %s
WHERE (account_id, sha256) IN (
    SELECT account_id, sha256 FROM documents WHERE forgotten_at IS NULL AND kept_until <= %s
    ORDER BY kept_until LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING account_id AS account, sha256
"""
# Of the documents that objects are named after: those whose bytes are still wanted.
_WANTED = """
SELECT d.account_id AS account, d.sha256
FROM unnest(%s::uuid[], %s::bytea[]) AS named (account_id, sha256)
JOIN documents d ON d.account_id = named.account_id AND d.sha256 = named.sha256
WHERE d.forgotten_at IS NULL
"""
_STORE = "SELECT store_id FROM object_store"
_MARK_STORE = """
INSERT INTO object_store (store_id) VALUES (%s)
ON CONFLICT ON CONSTRAINT object_store_pkey DO NOTHING
"""
_ADOPT_STORE = """
INSERT INTO object_store (store_id) VALUES (%s)
ON CONFLICT ON CONSTRAINT object_store_pkey
DO UPDATE SET store_id = excluded.store_id, marked_at = now()
"""
_KEYS = RowMapper(DocumentKey)


async def keep_longer(tx: Tx, account: UUID, sha256: Sequence[bytes], until: datetime) -> bool:
    """Keep documents at least until then; false where one of them was forgotten."""
    return await tx.run(_KEEP_LONGER, until, account, list(sha256)) == len(set(sha256))


async def is_kept(tx: ReadTx, account: UUID, sha256: bytes) -> bool:
    """Whether a document is known and its bytes were not forgotten."""
    return bool(await tx.value(_IS_KEPT, account, sha256))


async def forget(tx: Tx, at: datetime, limit: int) -> list[DocumentKey]:
    """Forget what was kept until this moment, and say which documents those are."""
    return await tx.all_as(_KEYS, _FORGET, at, at, limit)


async def wanted(tx: ReadTx, named: Sequence[DocumentKey]) -> list[DocumentKey]:
    """Those of these documents whose bytes are still wanted."""
    columns = ([one.account for one in named], [one.sha256 for one in named])
    return await tx.all_as(_KEYS, _WANTED, *columns)


async def store_id(tx: ReadTx) -> UUID | None:
    """The id of the object store that is the database's; None where none is marked yet."""
    found = await tx.value(_STORE)
    assert found is None or isinstance(found, UUID)
    return found


async def mark_store(tx: Tx, store: UUID) -> None:
    """Make this object store the one of the database where it has none."""
    await tx.run(_MARK_STORE, store)


async def adopt_store(tx: Tx, store: UUID) -> None:
    """Make this object store the one of the database in place of another."""
    await tx.run(_ADOPT_STORE, store)
