"""SQL of batches, one function per query."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from meterai.batches.model import (
    Batch,
    BatchesUnderWay,
    BatchFile,
    BatchKey,
    BatchRow,
    BatchState,
    Counts,
    RowBegun,
    RowToStart,
    RowToWork,
    StillBatch,
)
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.work.watch import Piece

_COLUMNS = """
SELECT account_id AS account, batch_id AS id, reference, state, member_id AS member, order_id AS order, order_count, needed,
    made_at, started_at, ended_at
FROM batches
"""
_BATCH = _COLUMNS + "WHERE account_id = %s AND batch_id = %s"
_BATCH_LOCKED = _BATCH + " FOR NO KEY UPDATE"
_LISTED = _COLUMNS + "WHERE account_id = %s AND batch_id < %s ORDER BY batch_id DESC LIMIT %s"
_LISTED_BY_REFERENCE = _COLUMNS + "WHERE account_id = %s AND reference = %s"
_BY_KEY = "SELECT batch_id AS id, request_hash FROM batches WHERE account_id = %s AND idempotency_key = %s"
_ALIVE = """
SELECT count(*) FROM batches WHERE account_id = %s AND state NOT IN ('finished', 'cancelled')
"""
_MAKE = """
INSERT INTO batches (account_id, batch_id, idempotency_key, request_hash, reference) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT ON CONSTRAINT one_batch_per_key DO NOTHING
"""
_COUNTS = """
SELECT count(*) AS rows,
    count(*) FILTER (WHERE state = 'waiting') AS waiting,
    count(*) FILTER (WHERE state = 'refused') AS refused,
    count(*) FILTER (WHERE state = 'reserved') AS reserved,
    count(*) FILTER (WHERE state = 'delivered') AS delivered,
    count(*) FILTER (WHERE state = 'failed') AS failed,
    count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
    coalesce(sum(quantity) FILTER (WHERE state = 'waiting'), 0) AS stamps_wanted,
    coalesce(sum(quantity) FILTER (WHERE state = 'delivered'), 0) AS stamps_used
FROM batch_rows WHERE account_id = %s AND batch_id = %s
"""
_FILES_TOTAL = """
SELECT count(*)::integer AS files, coalesce(sum(bytes), 0)::bigint AS bytes FROM batch_files
WHERE account_id = %s AND batch_id = %s
"""
_FILES_NAMED = """
SELECT name, came_sha256, sha256, bytes, is_repaired FROM batch_files
WHERE account_id = %s AND batch_id = %s AND name = ANY (%s)
"""
_FILES = """
SELECT name, came_sha256, sha256, bytes, is_repaired FROM batch_files
WHERE account_id = %s AND batch_id = %s ORDER BY name
"""
# Each document is stored first, in the order of hashes in which all transactions lock documents; then its name is.
_ADD_FILES = """
WITH given AS MATERIALIZED (
    SELECT d.*, document_keep(%s, decode(d.sha256, 'hex'), d.plain, d.bytes, d.pages, d.kept_until) AS kept
    FROM jsonb_to_recordset(%s) AS d (name text, plain text, came text, sha256 text, bytes integer, pages integer,
        kept_until timestamptz, is_repaired boolean)
)
INSERT INTO batch_files (account_id, batch_id, name, came_sha256, sha256, bytes, is_repaired)
SELECT %s, %s, g.name, decode(g.came, 'hex'), decode(g.sha256, 'hex'), g.bytes, g.is_repaired
FROM given g WHERE g.kept IS NOT NULL
ON CONFLICT ON CONSTRAINT batch_files_pkey DO NOTHING RETURNING name
"""
_LAST_NUMBER = """
SELECT coalesce(max(number), 0) FROM batch_rows WHERE account_id = %s AND batch_id = %s
"""
_KNOWN_ROWS = """
SELECT identity, content, number FROM batch_rows
WHERE account_id = %s AND batch_id = %s AND identity = ANY (%s)
"""
_ADD_ROWS = """
INSERT INTO batch_rows (account_id, batch_id, number, identity, content, row_key, document, document_name, wishes,
    quantity, facts, state, code, code_facts, ended_at)
SELECT %s, %s, d.number, decode(d.identity, 'hex'), decode(d.content, 'hex'), d.key, d.document, d.document_name,
    d.wishes, d.quantity, d.facts, d.state, d.code, d.code_facts, CASE WHEN d.state = 'refused' THEN now() END
FROM jsonb_to_recordset(%s) AS d (number integer, identity text, content text, key text, document text,
    document_name text, wishes jsonb, quantity smallint, facts jsonb, state text, code text, code_facts jsonb)
"""
_TO_START = """
SELECT number, row_key AS key, document, document_name, sha256, is_repaired, wishes, quantity, facts FROM batch_rows
WHERE account_id = %s AND batch_id = %s AND state = 'waiting' ORDER BY number
"""
_RESOLVE = """
UPDATE batch_rows r SET sha256 = decode(d.sha256, 'hex'), is_repaired = d.is_repaired, document_name = d.document_name
FROM jsonb_to_recordset(%s) AS d (number integer, sha256 text, is_repaired boolean, document_name text)
WHERE r.account_id = %s AND r.batch_id = %s AND r.number = d.number
"""
_REFUSE = """
UPDATE batch_rows r SET state = 'refused', code = d.code, code_facts = d.code_facts, ended_at = now()
FROM jsonb_to_recordset(%s) AS d (number integer, code text, code_facts jsonb)
WHERE r.account_id = %s AND r.batch_id = %s AND r.number = d.number AND r.state = 'waiting'
"""
_DOCUMENTS_KNOWN = """
SELECT sha256, name FROM documents_shown() WHERE account_id = %s AND sha256 = ANY (%s) AND NOT is_forgotten
"""
_MOVE = """
UPDATE batches SET state = %s, started_at = CASE WHEN %s THEN coalesce(started_at, now()) ELSE started_at END,
    member_id = coalesce(%s, member_id)
WHERE account_id = %s AND batch_id = %s
"""
_NEED = "UPDATE batches SET needed = %s WHERE account_id = %s AND batch_id = %s"
_ORDERED = """
UPDATE batches SET order_id = %s, order_count = order_count + 1
WHERE account_id = %s AND batch_id = %s AND order_count = %s
"""
_FINISH = "SELECT batch_finish(%s, %s)"
_CANCEL_ROWS = """
UPDATE batch_rows SET state = 'cancelled', ended_at = now()
WHERE account_id = %s AND batch_id = %s AND state = 'waiting'
"""
# Stamps that other batches of an account take first: batches under way, and waiting batches that were started before
# this batch. This order ensures that one of two waiting batches always continues.
_PROMISED = """
SELECT coalesce(sum(r.quantity), 0) FROM batches own
    JOIN batches b ON b.account_id = own.account_id AND b.batch_id <> own.batch_id AND (b.state = 'working'
        OR b.state = 'waiting_for_stamps'
            AND (b.started_at, b.batch_id) < (coalesce(own.started_at, 'infinity'), own.batch_id))
    JOIN batch_rows r ON r.account_id = b.account_id AND r.batch_id = b.batch_id AND r.state = 'waiting'
WHERE own.account_id = %s AND own.batch_id = %s
"""
# Each process works on one batch of an account at a time; the batch that was taken up longest ago is first.
_DUE = """
SELECT b.account_id AS account, b.batch_id AS id, b.turn_at AS due_at, NULL::jsonb AS what FROM batches b
WHERE b.state IN ('working', 'cancelling') AND (
    EXISTS (SELECT 1 FROM batch_rows r WHERE r.account_id = b.account_id AND r.batch_id = b.batch_id
            AND r.state IN ('waiting', 'reserved') AND r.leased_until <= now())
    OR NOT EXISTS (SELECT 1 FROM batch_rows r WHERE r.account_id = b.account_id AND r.batch_id = b.batch_id
                   AND r.state IN ('waiting', 'reserved')))
"""
DUE = f"{_DUE} ORDER BY b.turn_at"
_LOOK = f"{_DUE} AND b.account_id <> ALL (%s) ORDER BY b.turn_at LIMIT %s"
_TAKE_TURN = "UPDATE batches SET turn_at = now() WHERE account_id = %s AND batch_id = %s"
# Materialized, because the planner may run a subquery again for each row that it compares. Each run would skip the rows
# that are locked already and lease others: all rows of a batch, in quadratic time.
_LEASE_ROWS = """
WITH l AS MATERIALIZED (
    SELECT number FROM batch_rows WHERE account_id = %s AND batch_id = %s AND state = 'waiting'
        AND leased_until <= now() ORDER BY number LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE batch_rows r SET leased_until = now() + make_interval(secs => %s)
FROM l WHERE r.account_id = %s AND r.batch_id = %s AND r.number = l.number
RETURNING r.number, r.row_key AS key, r.document_name, r.sha256, r.is_repaired, r.wishes, r.facts
"""
_LOCK_ROWS = """
SELECT number FROM batch_rows WHERE account_id = %s AND batch_id = %s AND number = ANY (%s) AND state = 'waiting'
ORDER BY number FOR UPDATE
"""
_RELEASE_ROWS = """
UPDATE batch_rows SET leased_until = now()
WHERE account_id = %s AND batch_id = %s AND number = ANY (%s) AND state = 'waiting'
"""
_PUT_OFF_ROWS = """
UPDATE batch_rows SET leased_until = now() + make_interval(secs => %s)
WHERE account_id = %s AND batch_id = %s AND number = ANY (%s) AND state = 'waiting'
"""
# The first transaction with a subject locks its row until it ends; a second transaction then finds the stamping.
_BIND = """
INSERT INTO batch_stampings (account_id, subject, stamping_id)
SELECT %s, d.subject, d.stamping FROM unnest(%s::bytea[], %s::uuid[]) AS d (subject, stamping) ORDER BY d.subject
ON CONFLICT ON CONSTRAINT batch_stampings_pkey DO UPDATE SET bound_at = batch_stampings.bound_at
RETURNING subject, stamping_id
"""
_BIND_ANEW = """
UPDATE batch_stampings b SET stamping_id = d.stamping, bound_at = now()
FROM unnest(%s::bytea[], %s::uuid[]) AS d (subject, stamping)
WHERE b.account_id = %s AND b.subject = d.subject AND b.stamping_id <> d.stamping
"""
_BOUND = (
    "SELECT subject, stamping_id FROM batch_stampings WHERE account_id = %s AND subject = ANY (%s)"
)
_RESERVED = """
UPDATE batch_rows r SET state = d.state, stamping_id = d.stamping, leased_until = now() + make_interval(secs => d.lease),
    ended_at = CASE WHEN d.state = 'delivered' THEN now() END
FROM unnest(%s::integer[], %s::uuid[], %s::text[], %s::double precision[]) AS d (number, stamping, state, lease)
WHERE r.account_id = %s AND r.batch_id = %s AND r.number = d.number AND r.state = 'waiting'
"""
_DELIVERED = """
UPDATE batch_rows SET state = 'delivered', ended_at = now()
WHERE account_id = %s AND batch_id = %s AND stamping_id = ANY (%s) AND state = 'reserved'
"""
_FAILED = """
UPDATE batch_rows r SET state = 'failed', code = d.code, code_facts = d.facts, ended_at = now()
FROM unnest(%s::uuid[], %s::text[], %s::jsonb[]) AS d (stamping, code, facts)
WHERE r.account_id = %s AND r.batch_id = %s AND r.stamping_id = d.stamping AND r.state = 'reserved'
"""
# Reserved rows whose worker let their lease expire; the room `stamping` resumes their stampings.
_INTERRUPTED = """
SELECT stamping_id FROM batch_rows
WHERE account_id = %s AND batch_id = %s AND state = 'reserved' AND leased_until <= now() ORDER BY number LIMIT %s
"""
_LEASE_INTERRUPTED = """
UPDATE batch_rows SET leased_until = now() + make_interval(secs => %s)
WHERE account_id = %s AND batch_id = %s AND stamping_id = ANY (%s) AND state = 'reserved'
"""
WAIT_FOR_STAMPS = "SELECT 1 FROM batches WHERE state = 'waiting_for_stamps'"
_WAITING = """
WITH first AS MATERIALIZED (
    SELECT account_id, batch_id FROM batches WHERE state = 'waiting_for_stamps' ORDER BY turn_at LIMIT %s
    FOR UPDATE SKIP LOCKED)
UPDATE batches SET turn_at = now() WHERE (account_id, batch_id) IN (TABLE first)
RETURNING account_id AS account, batch_id AS batch
"""
_LEFT = """
(SELECT account_id AS account, batch_id AS batch FROM batches WHERE state = 'open' AND made_at < %s
 ORDER BY made_at LIMIT %s)
UNION ALL
(SELECT account_id, batch_id FROM batches WHERE state = 'waiting_for_stamps' AND started_at < %s LIMIT %s)
"""
_ROWS = """
SELECT number, row_key AS key, document, document_name, sha256, quantity, facts, state, code, code_facts,
    stamping_id AS stamping, ended_at
FROM batch_rows WHERE account_id = %s AND batch_id = %s AND number > %s AND (%s::text[] IS NULL OR state = ANY (%s))
ORDER BY number LIMIT %s
"""
_ROW = """
SELECT number, row_key AS key, document, document_name, sha256, quantity, facts, state, code, code_facts,
    stamping_id AS stamping, ended_at
FROM batch_rows WHERE account_id = %s AND batch_id = %s AND number = %s
"""
BY_ID = "SELECT account_id AS account, batch_id AS batch FROM batches WHERE batch_id = %s LIMIT 2"
_BY_REFERENCE = (
    "SELECT account_id AS account, batch_id AS batch FROM batches WHERE reference = %s LIMIT %s"
)
# Batches under way in which no row has ended since a given time.
STANDING_STILL = """
SELECT b.account_id AS account, b.batch_id AS batch, b.state, r.open, greatest(b.started_at, r.last) AS since FROM batches b
CROSS JOIN LATERAL (
    SELECT max(x.ended_at) AS last, (count(*) FILTER (WHERE x.ended_at IS NULL))::integer AS open FROM batch_rows x
    WHERE x.account_id = b.account_id AND x.batch_id = b.batch_id) r
WHERE b.state IN ('working', 'cancelling') AND greatest(b.started_at, r.last) < %s ORDER BY since LIMIT %s
"""
# Reads the index of each state only.
UNDER_WAY = """
SELECT (SELECT count(*) FROM batches WHERE state IN ('working', 'cancelling')) AS working,
    (SELECT count(*) FROM batches WHERE state = 'waiting_for_stamps') AS waiting
"""

_BATCHES = RowMapper(Batch)
_COUNTED = RowMapper(Counts)
_BATCH_FILES = RowMapper(BatchFile)
_BATCH_ROWS = RowMapper(BatchRow)
_ROWS_TO_START = RowMapper(RowToStart)
_ROWS_TO_WORK = RowMapper(RowToWork)
_KEYS = RowMapper(BatchKey)
_PIECES = RowMapper(Piece)
_STILL = RowMapper(StillBatch)
_UNDER_WAY = RowMapper(BatchesUnderWay)


async def batch(tx: ReadTx, account: UUID, batch: UUID) -> Batch | None:
    """Return a batch of this account; None if no such batch exists."""
    return await tx.one_as(_BATCHES, _BATCH, account, batch)


async def locked(tx: Tx, account: UUID, batch: UUID) -> Batch | None:
    """Return a batch of this account, and lock it against changes of its state; None if no such batch exists."""
    return await tx.one_as(_BATCHES, _BATCH_LOCKED, account, batch)


async def listed(
    tx: ReadTx, account: UUID, before: UUID, limit: int, reference: str | None
) -> list[Batch]:
    """Return batches of an account that are older than the batch `before`, newest first."""
    if reference is not None:
        return await tx.all_as(_BATCHES, _LISTED_BY_REFERENCE, account, reference)
    return await tx.all_as(_BATCHES, _LISTED, account, before, limit)


async def by_key(tx: ReadTx, account: UUID, key: str) -> tuple[UUID, bytes] | None:
    """Return the batch that was made with an Idempotency-Key, and the hash of its request; None if the key is new."""
    row = await tx.one(_BY_KEY, account, key)
    return (row["id"], row["request_hash"]) if row else None


async def alive(tx: ReadTx, account: UUID) -> int:
    """Count the batches of an account that have not ended."""
    return int(await tx.value(_ALIVE, account))


async def make(
    tx: Tx, account: UUID, batch: UUID, key: str, request: bytes, reference: str | None
) -> bool:
    """Insert a batch. Return False if a batch with this idempotency key exists."""
    return bool(await tx.run(_MAKE, account, batch, key, request, reference))


async def counts(tx: ReadTx, account: UUID, batch: UUID) -> Counts:
    """Count the rows of a batch by their state."""
    found = await tx.one_as(_COUNTED, _COUNTS, account, batch)
    return found or Counts()


async def files_total(tx: ReadTx, account: UUID, batch: UUID) -> tuple[int, int]:
    """Return the number of files of a batch, and their total size in bytes."""
    row = await tx.one(_FILES_TOTAL, account, batch)
    assert row is not None
    return row["files"], row["bytes"]


async def files_named(
    tx: ReadTx, account: UUID, batch: UUID, names: Sequence[str]
) -> Mapping[str, BatchFile]:
    """Return the files of a batch that have these names."""
    found = await tx.all_as(_BATCH_FILES, _FILES_NAMED, account, batch, list(names))
    return {one.name: one for one in found}


async def files(tx: ReadTx, account: UUID, batch: UUID) -> list[BatchFile]:
    """Return all files of a batch, ordered by name."""
    return await tx.all_as(_BATCH_FILES, _FILES, account, batch)


async def add_files(
    tx: Tx, account: UUID, batch: UUID, taken: Sequence[Mapping[str, object]]
) -> set[str]:
    """Store documents as files of a batch. Return the names that were added; a name that the batch has is left out."""
    in_order = sorted(taken, key=lambda one: str(one["sha256"]))
    rows = await tx.all(_ADD_FILES, account, jsonb(in_order), account, batch)
    return {row["name"] for row in rows}


async def last_number(tx: ReadTx, account: UUID, batch: UUID) -> int:
    """Return the number of the last row of a batch; 0 if it has no row."""
    return int(await tx.value(_LAST_NUMBER, account, batch))


async def known_rows(
    tx: ReadTx, account: UUID, batch: UUID, identities: Sequence[bytes]
) -> Mapping[bytes, tuple[bytes, int]]:
    """Return the content hash and number of each row that has one of these identities."""
    rows = await tx.all(_KNOWN_ROWS, account, batch, list(identities))
    return {row["identity"]: (row["content"], row["number"]) for row in rows}


async def add_rows(
    tx: Tx, account: UUID, batch: UUID, rows: Sequence[Mapping[str, object]]
) -> None:
    """Insert new rows of a batch."""
    await tx.run(_ADD_ROWS, account, batch, jsonb(list(rows)))


async def rows_to_start(tx: ReadTx, account: UUID, batch: UUID) -> list[RowToStart]:
    """Return the waiting rows of a batch, in their order."""
    return await tx.all_as(_ROWS_TO_START, _TO_START, account, batch)


async def resolve(
    tx: Tx, account: UUID, batch: UUID, found: Sequence[Mapping[str, object]]
) -> None:
    """Store for rows of a batch which document was found for each of them."""
    await tx.run(_RESOLVE, jsonb(list(found)), account, batch)


async def refuse(
    tx: Tx, account: UUID, batch: UUID, refused: Sequence[Mapping[str, object]]
) -> None:
    """Mark waiting rows as refused, with code and facts of the refusal."""
    await tx.run(_REFUSE, jsonb(list(refused)), account, batch)


async def documents_known(
    tx: ReadTx, account: UUID, sha256: Sequence[bytes]
) -> Mapping[bytes, str]:
    """Return the names of documents by digest; a document whose bytes are no longer stored is left out."""
    rows = await tx.all(_DOCUMENTS_KNOWN, account, list(sha256))
    return {row["sha256"]: row["name"] for row in rows}


async def move(
    tx: Tx, one: Batch, state: BatchState, *, starts: bool = False, member: UUID | None = None
) -> None:
    """Set the state of a locked batch; with `starts` also its start time, with `member` also the member who started it."""
    await tx.run(_MOVE, state, starts, member, one.account, one.id)


async def need(tx: Tx, one: Batch, stamps: int) -> None:
    """Store the number of free stamps that a locked batch needs to continue."""
    await tx.run(_NEED, stamps, one.account, one.id)


async def ordered(tx: Tx, account: UUID, batch: UUID, order: UUID, before: int) -> None:
    """Store the order that was placed for a batch. Does nothing unless the batch had exactly `before` orders until then."""
    await tx.run(_ORDERED, order, account, batch, before)


async def finish(tx: Tx, account: UUID, batch: UUID) -> BatchState:
    """Finish a batch whose rows all ended; see sql/functions/batch_finish.sql."""
    return BatchState(await tx.value(_FINISH, account, batch))


async def cancel_rows(tx: Tx, account: UUID, batch: UUID) -> None:
    """Cancel the waiting rows of a batch."""
    await tx.run(_CANCEL_ROWS, account, batch)


async def promised(tx: ReadTx, account: UUID, batch: UUID) -> int:
    """Count the stamps that other batches of the account will use before this batch may: batches under way, and batches that
    have waited for longer.
    """
    return int(await tx.value(_PROMISED, account, batch))


async def at_work(tx: ReadTx, without: Sequence[UUID], limit: int) -> list[Piece]:
    """Return batches under way with work for a worker: a row that no process has leased, or only ended rows, so that the batch
    can be finished.
    """
    return await tx.all_as(_PIECES, _LOOK, list(without), limit)


async def take_turn(tx: Tx, account: UUID, batch: UUID) -> None:
    """Store the time at which a worker takes up a batch."""
    await tx.run(_TAKE_TURN, account, batch)


async def lease_rows(
    tx: Tx, account: UUID, batch: UUID, limit: int, lease_seconds: float
) -> list[RowToWork]:
    """Lease the next waiting rows to this process."""
    whose = (account, batch)
    found = await tx.all_as(_ROWS_TO_WORK, _LEASE_ROWS, *whose, limit, lease_seconds, *whose)
    return sorted(found, key=lambda one: one.number)


async def lock_rows(tx: Tx, account: UUID, batch: UUID, numbers: Sequence[int]) -> set[int]:
    """Lock the rows that have these numbers and still wait. Return the numbers of the locked rows."""
    rows = await tx.all(_LOCK_ROWS, account, batch, list(numbers))
    return {row["number"] for row in rows}


async def release_rows(tx: Tx, account: UUID, batch: UUID, numbers: Sequence[int]) -> None:
    """End the leases of rows, so that a worker can take up the rows immediately."""
    await tx.run(_RELEASE_ROWS, account, batch, list(numbers))


async def put_off_rows(
    tx: Tx, account: UUID, batch: UUID, numbers: Sequence[int], seconds: float
) -> None:
    """Postpone waiting rows: no worker takes them up for some seconds."""
    await tx.run(_PUT_OFF_ROWS, seconds, account, batch, list(numbers))


async def bind(tx: Tx, account: UUID, wanted: Mapping[bytes, UUID]) -> Mapping[bytes, UUID]:
    """Bind subjects (identities of rows across batches) to the wanted stampings, unless they are already bound.

    Returns the stamping to which each subject is bound now.
    """
    rows = await tx.all(_BIND, account, list(wanted), list(wanted.values()))
    return {row["subject"]: row["stamping_id"] for row in rows}


async def rebind(tx: Tx, account: UUID, wanted: Mapping[bytes, UUID]) -> None:
    """Bind subjects (identities of rows across batches), which the caller has locked, to new stampings, because the previous
    ones failed.
    """
    if wanted:
        await tx.run(_BIND_ANEW, list(wanted), list(wanted.values()), account)


async def bound(tx: ReadTx, account: UUID, subjects: Sequence[bytes]) -> Mapping[bytes, UUID]:
    """Return the stampings to which these subjects (identities of rows across batches) are bound; an unbound subject has no
    entry.
    """
    rows = await tx.all(_BOUND, account, list(subjects))
    return {row["subject"]: row["stamping_id"] for row in rows}


async def reserved(tx: Tx, account: UUID, batch: UUID, made: Sequence[RowBegun]) -> None:
    """Store the stamping of each waiting row, which was reserved now or delivered earlier, and set the state of the row to that
    of the stamping.
    """
    if not made:
        return
    columns = zip(
        *((one.number, one.stamping, str(one.state), one.lease_seconds) for one in made),
        strict=True,
    )
    await tx.run(_RESERVED, *map(list, columns), account, batch)


async def delivered(tx: Tx, account: UUID, batch: UUID, stampings: Sequence[UUID]) -> None:
    """Mark the rows with these stampings as delivered."""
    await tx.run(_DELIVERED, account, batch, list(stampings))


async def failed(
    tx: Tx, account: UUID, batch: UUID, why: Mapping[UUID, Mapping[str, object]]
) -> None:
    """Mark the rows with these stampings as failed, with the reasons `why`; their stamps were returned to the account."""
    codes = [one["code"] for one in why.values()]
    facts = [jsonb(one["code_facts"]) for one in why.values()]
    await tx.run(_FAILED, list(why), codes, facts, account, batch)


async def interrupted(tx: ReadTx, account: UUID, batch: UUID, limit: int) -> list[UUID]:
    """Return the stampings of reserved rows whose lease has expired."""
    rows = await tx.all(_INTERRUPTED, account, batch, limit)
    return [row["stamping_id"] for row in rows]


async def lease_interrupted(
    tx: Tx, account: UUID, batch: UUID, stampings: Sequence[UUID], lease_seconds: float
) -> None:
    """Extend the leases of the rows with these stampings, which are still under way."""
    await tx.run(_LEASE_INTERRUPTED, lease_seconds, account, batch, list(stampings))


async def waiting(tx: Tx, limit: int) -> list[BatchKey]:
    """Return up to `limit` batches that wait for stamps, those examined longest ago first, and record that they are examined
    now.
    """
    return await tx.all_as(_KEYS, _WAITING, limit)


async def left(
    tx: ReadTx, made_before: datetime, started_before: datetime, limit: int
) -> list[BatchKey]:
    """Return open batches made before `made_before`, and batches started before `started_before` that still wait for stamps."""
    return await tx.all_as(_KEYS, _LEFT, made_before, limit, started_before, limit)


async def rows(
    tx: ReadTx, account: UUID, batch: UUID, after: int, limit: int, states: Sequence[str] | None
) -> list[BatchRow]:
    """Return rows of a batch after the row number `after`, in their order; None for `states` means any state."""
    wanted = list(states) if states is not None else None
    return await tx.all_as(_BATCH_ROWS, _ROWS, account, batch, after, wanted, wanted, limit)


async def row(tx: ReadTx, account: UUID, batch: UUID, number: int) -> BatchRow | None:
    """Return a row of a batch by its number; None if no such row exists."""
    return await tx.one_as(_BATCH_ROWS, _ROW, account, batch, number)


async def by_id(tx: ReadTx, batch: UUID) -> list[BatchKey]:
    """Return account and id of the batches with this id, of any account."""
    return await tx.all_as(_KEYS, BY_ID, batch)


async def by_reference(tx: ReadTx, reference: str, limit: int) -> list[BatchKey]:
    """Return account and id of the batches with this reference, of any account."""
    return await tx.all_as(_KEYS, _BY_REFERENCE, reference, limit)


async def stalled_batches(tx: ReadTx, since: datetime, limit: int) -> list[StillBatch]:
    """Return batches under way in which no row has ended since `since`; the batch without progress for longest is first."""
    return await tx.all_as(_STILL, STANDING_STILL, since, limit)


async def under_way(tx: ReadTx) -> BatchesUnderWay:
    """Count the batches that workers process, and the batches that wait for stamps."""
    found = await tx.one_as(_UNDER_WAY, UNDER_WAY)
    assert found is not None
    return found
