"""SQL of documents, one function per query."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from meterai.documents.model import CondemnedObject, DocumentKey, Hold, Lineage, StoreClaim
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper

_KEPT = "SELECT sha256 FROM documents WHERE account_id = %s AND sha256 = ANY (%s) AND forgotten_at IS NULL"
_KEEP_LONGER = """
UPDATE documents SET kept_until = greatest(kept_until, %s)
WHERE account_id = %s AND sha256 = ANY (%s) AND forgotten_at IS NULL
"""
# A row that another transaction has locked is left for the next run, and does not delay the others.
_FORGET = """
WITH due AS MATERIALIZED (
    SELECT account_id, sha256 FROM documents WHERE forgotten_at IS NULL AND kept_until <= %s
    ORDER BY kept_until LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE documents SET forgotten_at = %s WHERE (account_id, sha256) IN (TABLE due)
RETURNING account_id AS account, sha256
"""
WANTED = "SELECT sha256 FROM documents WHERE sha256 = ANY (%s) AND forgotten_at IS NULL"
# For objects of the previous release: selects those of the given documents that were not forgotten.
_WANTED_OLD = """
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
_CLAIM = """
SELECT o.store_id AS store, o.claim AS token, o.claim_before AS token_before, o.claimed_at,
    o.system_identifier, o.database_oid, o.timeline, o.hold AS held, o.held_at,
    (SELECT system_identifier::text FROM pg_control_system()) AS system_here,
    (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database_here,
    ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer AS timeline_here
FROM (SELECT) AS once LEFT JOIN object_store o ON true
"""
_LOCK_CLAIM = "SELECT 1 FROM object_store FOR UPDATE"
_HOLD = """
UPDATE object_store SET hold = %s, held_at = now() WHERE hold IS NULL OR %s = 'restored' AND hold <> 'restored'
"""
_ADVANCE = """
UPDATE object_store SET claim_before = claim, claim = %s, claimed_at = now(),
    spared = CASE WHEN timeline <> %s THEN spared
        + tstzmultirange(tstzrange(claimed_at - %s::interval, now() + %s::interval)) ELSE spared END,
    system_identifier = %s, database_oid = %s, timeline = %s
"""
_CONFIRM = """
UPDATE object_store SET claim_before = %s, claim = %s, claimed_at = now(), confirmed_at = now(),
    hold = NULL, held_at = NULL, spared = '{}',
    system_identifier = %s, database_oid = %s, timeline = %s
"""
_BEGIN_GRACE_ANEW = """
UPDATE condemned_objects SET condemned_at = %s, due_at = %s + (due_at - condemned_at)
"""
# Objects written while a failover may have lost rows are spared.
_CONDEMN_UNCLAIMED = """
INSERT INTO condemned_objects (name, condemned_at, due_at)
SELECT n.name, %s, %s FROM unnest(%s::text[], %s::timestamptz[]) AS n (name, written_at)
WHERE NOT EXISTS (SELECT 1 FROM object_store o WHERE o.spared @> n.written_at)
ON CONFLICT ON CONSTRAINT condemned_objects_pkey DO NOTHING
"""
_CONDEMN = """
INSERT INTO condemned_objects (name, condemned_at, due_at)
SELECT n.name, %s, %s FROM unnest(%s::text[]) AS n (name)
ON CONFLICT ON CONSTRAINT condemned_objects_pkey
DO UPDATE SET condemned_at = excluded.condemned_at, due_at = greatest(condemned_objects.due_at, excluded.due_at)
"""
_DUE = """
SELECT name, condemned_at FROM condemned_objects WHERE due_at <= %s ORDER BY due_at LIMIT %s
"""
_STILL_DUE = (
    "SELECT name, condemned_at FROM condemned_objects WHERE name = ANY (%s) AND due_at <= %s"
)
_REMOVE_CONDEMNED = "DELETE FROM condemned_objects WHERE name = ANY (%s) AND due_at <= %s"
_COUNT_CONDEMNED = "SELECT count(*) FROM condemned_objects"
_KEYS = RowMapper(DocumentKey)
_CONDEMNED = RowMapper(CondemnedObject)


def _claim(
    system_identifier: str | None,
    database_oid: int | None,
    timeline: int | None,
    system_here: str,
    database_here: int,
    timeline_here: int,
    **said: Any,
) -> StoreClaim:
    by = None
    if system_identifier is not None and database_oid is not None and timeline is not None:
        by = Lineage(system_identifier, database_oid, timeline)
    here = Lineage(system_here, database_here, timeline_here)
    held = said.pop("held")
    return StoreClaim(here=here, claimed_by=by, held=held and Hold(held), **said)


_CLAIMS = RowMapper(_claim)


async def keep_longer(tx: Tx, account: UUID, sha256: Sequence[bytes], until: datetime) -> bool:
    """Keep documents of an account at least until a time; False if one of them is unknown or marked as forgotten."""
    return await tx.run(_KEEP_LONGER, until, account, list(sha256)) == len(set(sha256))


async def kept(tx: ReadTx, account: UUID, sha256: Sequence[bytes]) -> set[bytes]:
    """Return those of these documents of which the account has a row that is not marked as forgotten."""
    return {row["sha256"] for row in await tx.all(_KEPT, account, list(sha256))}


async def forget(tx: Tx, at: datetime, limit: int) -> list[DocumentKey]:
    """Mark up to `limit` documents at the end of their retention as forgotten, and return them."""
    return await tx.all_as(_KEYS, _FORGET, at, limit, at)


async def wanted(tx: ReadTx, named: Sequence[DocumentKey]) -> list[DocumentKey]:
    """Return the documents among `named` that are not marked as forgotten, so that their bytes are kept."""
    columns = ([one.account for one in named], [one.sha256 for one in named])
    return await tx.all_as(_KEYS, _WANTED_OLD, *columns)


async def wanted_contents(tx: ReadTx, owners: Sequence[str], sha256: Sequence[bytes]) -> set[bytes]:
    """Return the digests among `sha256` to which a row of any room refers; `owners` are the queries of the rooms.

    All queries run in one statement with one snapshot.  So a content is found even while one row ceases to refer to it and
    another begins to.
    """
    query = " UNION ".join(owners)
    rows = await tx.all(query, *[list(sha256)] * len(owners))
    return {bytes(row["sha256"]) for row in rows}


async def store_id(tx: ReadTx) -> UUID | None:
    """Return the id of the object store that belongs to the database; None if the database has no store yet."""
    found = await tx.value(_STORE)
    assert found is None or isinstance(found, UUID)
    return found


async def mark_store(tx: Tx, store: UUID) -> None:
    """Record that this object store belongs to the database, if the database has no store yet."""
    await tx.run(_MARK_STORE, store)


async def adopt_store(tx: Tx, store: UUID) -> None:
    """Record that this object store belongs to the database, in place of the store that it had before."""
    await tx.run(_ADOPT_STORE, store)


async def claim(tx: ReadTx) -> StoreClaim:
    """Return the database's claim on its object store, with the identity of the database."""
    found = await tx.one_as(_CLAIMS, _CLAIM)
    assert found is not None
    return found


async def locked_claim(tx: Tx) -> StoreClaim:
    """Return the database's claim on its object store, and lock it until the transaction ends.

    So no other process of this database claims the store meanwhile.
    """
    await tx.run(_LOCK_CLAIM)
    return await claim(tx)


async def hold(tx: Tx, reason: Hold) -> None:
    """Hold deletion from the store until an operator confirms.  The reason `RESTORED` replaces any other reason."""
    await tx.run(_HOLD, reason, reason)


async def advance(tx: Tx, token: UUID, here: Lineage, slack: timedelta) -> None:
    """Record a new claim of the database on the store, with this token.

    If the timeline has changed since the last claim, a standby was promoted.  Then objects that were written between that claim
    and now, or up to `slack` before or after, are spared from deletion.
    """
    await tx.run(_ADVANCE, token, here.timeline, slack, slack, *here)


async def confirm(tx: Tx, token: UUID, found: UUID | None, here: Lineage, at: datetime) -> None:
    """Record a new claim in place of the claim `found` in the store, and end the hold.

    The grace period of each condemned object begins again.
    """
    await tx.run(_CONFIRM, found, token, *here)
    await tx.run(_BEGIN_GRACE_ANEW, at, at)


async def condemn_unclaimed(
    tx: Tx, written: Sequence[tuple[str, datetime]], at: datetime, due_at: datetime
) -> None:
    """Condemn objects to which no row refers, except those condemned before or spared.

    `written` has the name of each object and the time at which it was written.
    """
    names, times = [name for name, _ in written], [then for _, then in written]
    await tx.run(_CONDEMN_UNCLAIMED, at, due_at, names, times)


async def condemn(tx: Tx, names: Sequence[str], at: datetime, due_at: datetime) -> None:
    """Condemn objects to which rows no longer refer.  If an object was condemned before, the later due time counts."""
    await tx.run(_CONDEMN, at, due_at, sorted(set(names)))


async def condemned(tx: ReadTx, at: datetime, limit: int) -> list[CondemnedObject]:
    """Return up to `limit` condemned objects whose grace period is over, the earliest due first."""
    return await tx.all_as(_CONDEMNED, _DUE, at, limit)


async def still_due(tx: ReadTx, names: Sequence[str], at: datetime) -> list[CondemnedObject]:
    """Return the objects among these whose grace period is over, and did not begin again meanwhile."""
    return await tx.all_as(_CONDEMNED, _STILL_DUE, list(names), at)


async def remove_condemned(tx: Tx, names: Sequence[str], at: datetime) -> None:
    """Remove objects from the list of condemned ones, since they were deleted or a row refers to them again.

    An object whose grace period began again meanwhile stays condemned.
    """
    await tx.run(_REMOVE_CONDEMNED, list(names), at)


async def count_condemned(tx: ReadTx) -> int:
    """Return the number of condemned objects."""
    return int(await tx.value(_COUNT_CONDEMNED))
