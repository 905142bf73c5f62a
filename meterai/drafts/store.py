"""SQL of drafts, one function per query."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from meterai.drafts.model import (
    EMPTY_LIVES,
    UNFINISHED_LIVES,
    Draft,
    DraftExaminationResult,
    DraftFile,
    DraftLimits,
    DraftObject,
    DraftUsage,
    FileState,
    NetworkUsage,
    NewFile,
)
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.networks import WIDER_AT_ONCE, nested
from meterai.sealing import PageSize, Placement

# The two tables share no column name but `draft_id`.
_FACTS = 'owner_id AS owner, network, order_key, order_id AS "order", is_done, merged_into, created_at, expires_at'
_FILE_FACTS = (
    "file_id AS id, name, bytes AS size, received, digest, state, parts, content_id AS old_content,"
    " sha256, pages, sizes, is_stamped, rules, refusal, refusal_facts, placements, version, examinations, added_at,"
    " last_part_at"
)
_DRAFT = f"draft_id AS id, {_FACTS}"
_FILE = f"draft_id AS draft, {_FILE_FACTS}"


def _sizes(stored: list[list[float]]) -> tuple[PageSize, ...]:
    return tuple(PageSize(int(page), width, height) for page, width, height in stored)


def _placements(stored: list[dict[str, Any]]) -> tuple[Placement, ...]:
    return tuple(Placement(**one) for one in stored)


def _with_file(
    draft: UUID, state: FileState | None, **columns: Any
) -> tuple[Draft, DraftFile | None]:
    names = (
        "owner",
        "network",
        "order_key",
        "order",
        "is_done",
        "merged_into",
        "created_at",
        "expires_at",
    )
    found = Draft(draft, **{name: columns.pop(name) for name in names})
    return found, None if state is None else DraftFile(draft=draft, state=state, **columns)


_DRAFTS = RowMapper(Draft)
_WITH_FILES = RowMapper(_with_file, sizes=_sizes, placements=_placements, parts=tuple)
_FILES = RowMapper(DraftFile, sizes=_sizes, placements=_placements, parts=tuple)
_OBJECTS = RowMapper(DraftObject)
_USAGES = RowMapper(DraftUsage)
_NETWORK_USAGES = RowMapper(NetworkUsage)

_HELD = "state NOT IN ('refused', 'ordered')"  # selects files with stored bytes
_OPEN = """
INSERT INTO drafts (draft_id, token_hash, owner_id, network, widest, order_key, created_at, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_OPEN_FOR = f"""
SELECT {_DRAFT} FROM drafts
WHERE (token_hash = %s OR owner_id = %s) AND NOT is_done AND expires_at > %s
ORDER BY draft_id
"""  # noqa: S608 - columns are a constant
_OPEN_WITH_FILES = f"""
SELECT d.draft_id AS draft, {_FACTS}, {_FILE_FACTS}
FROM drafts d LEFT JOIN draft_files f ON f.draft_id = d.draft_id
WHERE (d.token_hash = %s OR d.owner_id = %s) AND NOT d.is_done AND d.expires_at > %s
ORDER BY d.draft_id, f.file_id
"""  # noqa: S608
_LOCK = f"SELECT {_DRAFT} FROM drafts WHERE draft_id = ANY(%s) ORDER BY draft_id FOR UPDATE"  # noqa: S608
_DRAFT_BY_ID = f"SELECT {_DRAFT} FROM drafts WHERE draft_id = %s"  # noqa: S608
_FOUND_BY_ANOTHER = """
UPDATE drafts SET token_hash = %s WHERE token_hash = %s AND owner_id IS NULL AND NOT is_done
"""
_RENEW_KEY = "UPDATE drafts SET order_key = %s WHERE draft_id = %s AND order_key = %s"
_RENEW = f"""
UPDATE drafts d SET expires_at = greatest(expires_at, %s)
WHERE draft_id = %s AND NOT is_done AND EXISTS (
    SELECT 1 FROM draft_files f
    WHERE f.draft_id = d.draft_id AND f.received > 0 AND f.{_HELD})
RETURNING {_DRAFT}
"""  # noqa: S608
_KEEP = "UPDATE drafts SET expires_at = greatest(expires_at, %s) WHERE draft_id = %s"
# For an account without another draft.  If it has one, a transaction locks both and merges them.
_ADOPT_ALONE = f"""
UPDATE drafts d SET owner_id = %s
WHERE d.token_hash = %s AND d.owner_id IS NULL AND NOT d.is_done AND d.expires_at > %s
    AND NOT EXISTS (SELECT 1 FROM drafts o WHERE o.owner_id = %s AND NOT o.is_done AND o.expires_at > %s)
RETURNING {_DRAFT}
"""  # noqa: S608
_FINISH_WHOLE = "SELECT draft_finish(%s, %s, %s)"
_ADOPT = "UPDATE drafts SET owner_id = %s, expires_at = %s WHERE draft_id = %s"
_MOVE = "UPDATE draft_files SET draft_id = %s WHERE draft_id = ANY(%s)"
_MOVE_FILES = "UPDATE draft_files SET draft_id = %s WHERE file_id = ANY(%s)"
_MERGED = """
UPDATE drafts SET is_done = true, merged_into = %s, owner_id = %s, expires_at = greatest(expires_at, %s)
WHERE draft_id = ANY(%s) OR merged_into = ANY(%s)
"""
_DONE = "UPDATE drafts SET is_done = true, order_id = %s WHERE draft_id = %s"
_ORDERED = """
UPDATE draft_files SET state = 'ordered', content_id = NULL WHERE draft_id = %s AND file_id = ANY(%s)
"""
_NOT_ORDERED = "DELETE FROM draft_files WHERE draft_id = %s AND state <> 'ordered'"
_KEPT_FOR = """
SELECT EXISTS (
    SELECT 1 FROM drafts t JOIN drafts d ON d.draft_id = coalesce(t.merged_into, t.draft_id)
    WHERE t.token_hash = %s AND d.owner_id IS NOT NULL AND NOT d.is_done AND d.expires_at > %s
) AS is_kept
"""
_DONE_FOR = f"""
SELECT {_DRAFT} FROM drafts WHERE is_done AND merged_into IS NULL AND owner_id = %s AND expires_at > %s
    AND draft_id IN (SELECT coalesce(merged_into, draft_id) FROM drafts WHERE token_hash = %s)
"""  # noqa: S608
# Only received bytes count: announced bytes do not.
_USAGE = f"""
SELECT count(*) AS files, coalesce(sum(received) FILTER (WHERE {_HELD}), 0)::bigint AS bytes
FROM draft_files WHERE draft_id = %s
"""  # noqa: S608
_NETWORKS = f"""
SELECT n.name,
    (SELECT coalesce(sum(f.received), 0)::bigint FROM drafts d
     JOIN draft_files f ON f.draft_id = d.draft_id
     WHERE (d.network = n.name OR d.widest = n.name) AND f.{_HELD}) AS bytes,
    (SELECT count(*) FROM drafts d
     WHERE (d.network = n.name OR d.widest = n.name) AND d.owner_id IS NULL AND NOT d.is_done) AS drafts
FROM unnest(%s::text[]) AS n (name)
"""  # noqa: S608
_ALL_BYTES = f"""
SELECT coalesce(sum(received), 0)::bigint AS sum FROM draft_files WHERE {_HELD}
"""  # noqa: S608
_STRANGERS_BYTES = f"""
SELECT coalesce(sum(f.received), 0)::bigint AS sum FROM drafts d
JOIN draft_files f ON f.draft_id = d.draft_id
WHERE d.owner_id IS NULL AND f.{_HELD}
"""  # noqa: S608
_ADD = f"""
SELECT {_FILE} FROM draft_file_take_in(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
    %s, %s, %s, %s, %s, %s, %s, %s)
"""  # noqa: S608
_OF_DRAFT = f"SELECT {_FILE} FROM draft_files WHERE draft_id = %s ORDER BY file_id"  # noqa: S608
_ONE = f"SELECT {_FILE} FROM draft_files WHERE draft_id = %s AND file_id = %s"  # noqa: S608
# The statement that records the last byte also leases the file for its examination, so that a complete file never
# stays in the state `receiving`.
_APPEND = f"""
UPDATE draft_files SET received = n.upto, parts = parts || %s::uuid, last_part_at = %s,
    state = CASE WHEN n.upto = bytes THEN 'examining' ELSE state END,
    leased_until = CASE WHEN n.upto = bytes THEN %s::timestamptz END,
    examinations = CASE WHEN n.upto = bytes THEN 1 ELSE 0 END
FROM (SELECT %s::integer AS begins, %s::integer AS upto) AS n
WHERE draft_id = %s AND file_id = %s AND state = 'receiving' AND received = n.begins
    AND n.upto <= bytes
RETURNING {_FILE}
"""  # noqa: S608
# Examinations take the drafts of a network in turn, and the networks in turn: a visitor with a hundred files does not
# delay the others.  The order among equals is random.
EXAMINATION_DUE = """
SELECT 1 FROM draft_files WHERE state = 'examining' AND leased_until < now() ORDER BY leased_until
"""
_TO_EXAMINE = f"""
WITH due AS (
    SELECT f.draft_id, f.file_id, coalesce(d.widest, d.network) AS network,
        row_number() OVER (PARTITION BY f.draft_id ORDER BY f.leased_until, f.file_id) AS of_draft
    FROM draft_files f JOIN drafts d ON d.draft_id = f.draft_id
    WHERE f.state = 'examining' AND f.leased_until < %s
), turns AS (
    SELECT draft_id, file_id,
        row_number() OVER (PARTITION BY network ORDER BY of_draft, random()) AS turn
    FROM due
), first AS MATERIALIZED (
    SELECT f.draft_id, f.file_id
    FROM draft_files f JOIN turns t ON t.draft_id = f.draft_id AND t.file_id = f.file_id
    WHERE f.state = 'examining' AND f.leased_until < %s
    ORDER BY t.turn, random() LIMIT %s FOR UPDATE OF f SKIP LOCKED
)
UPDATE draft_files SET leased_until = %s, examinations = examinations + 1
WHERE (draft_id, file_id) IN (TABLE first)
RETURNING {_FILE}
"""  # noqa: S608
_ACCEPT = """
UPDATE draft_files SET state = %s, bytes = %s, received = %s, sha256 = %s,
    pages = %s, sizes = %s, is_stamped = %s, rules = %s, parts = '{}', leased_until = NULL
WHERE file_id = %s AND state = 'examining'
"""
_REFUSE = """
UPDATE draft_files SET state = 'refused', refusal = %s, refusal_facts = %s, parts = '{}',
    leased_until = NULL
WHERE file_id = %s AND state = 'examining'
"""
_LET_GO = """
UPDATE draft_files SET leased_until = %s, examinations = examinations - %s::integer
WHERE file_id = %s AND state = 'examining'
"""
_PLACE = f"""
UPDATE draft_files f SET placements = %s, version = version + 1
WHERE f.draft_id = %s AND f.file_id = %s AND f.version = %s
    AND f.state IN ('ready', 'repaired')
    AND EXISTS (SELECT 1 FROM drafts d WHERE d.draft_id = f.draft_id AND NOT d.is_done)
RETURNING {_FILE}
"""  # noqa: S608
_TAKE_OUT = f"""
DELETE FROM draft_files f WHERE f.draft_id = %s AND f.file_id = %s
    AND EXISTS (SELECT 1 FROM drafts d WHERE d.draft_id = f.draft_id AND NOT d.is_done)
RETURNING {_FILE}
"""  # noqa: S608
_EXPIRED = f"SELECT {_DRAFT} FROM drafts WHERE expires_at <= %s ORDER BY expires_at LIMIT %s"  # noqa: S608
_FORGET_UNFINISHED = f"""
DELETE FROM draft_files WHERE (draft_id, file_id) IN (
    SELECT draft_id, file_id FROM draft_files
    WHERE state = 'receiving' AND last_part_at <= %s AND (received = 0 OR last_part_at <= %s)
    ORDER BY last_part_at LIMIT %s FOR UPDATE)
RETURNING {_FILE}
"""  # noqa: S608
_FORGET_FILES = f"DELETE FROM draft_files WHERE draft_id = %s RETURNING {_FILE}"  # noqa: S608
_FORGET = "DELETE FROM drafts WHERE draft_id = %s AND expires_at <= %s"
_WANTED = """
SELECT n.file_id AS file, n.object_id AS object
FROM unnest(%s::uuid[], %s::uuid[]) AS n (file_id, object_id)
JOIN draft_files f ON f.file_id = n.file_id
WHERE f.content_id = n.object_id OR n.object_id = ANY (f.parts)
"""
WANTED_CONTENTS = (
    "SELECT sha256 FROM draft_files WHERE sha256 = ANY (%s) AND state IN ('ready', 'repaired')"
)


async def add_draft(tx: Tx, draft: Draft, token_hash: bytes) -> None:
    """Insert a draft without files."""
    await tx.run(
        _OPEN,
        draft.id,
        token_hash,
        draft.owner,
        draft.network,
        nested(draft.network)[-1],
        draft.order_key,
        draft.created_at,
        draft.expires_at,
    )


async def open_for(
    tx: ReadTx, token_hash: bytes, account: UUID | None, now: datetime
) -> list[Draft]:
    """Return the open drafts: the draft of the token and the drafts of the account, the oldest first."""
    return await tx.all_as(_DRAFTS, _OPEN_FOR, token_hash, account, now)


async def open_with_files(
    tx: ReadTx, token_hash: bytes, account: UUID | None, now: datetime
) -> list[tuple[Draft, list[DraftFile]]]:
    """Return the drafts that `open_for` returns, each with its files in the order in which they were chosen."""
    found: dict[Draft, list[DraftFile]] = {}
    for draft, file in await tx.all_as(_WITH_FILES, _OPEN_WITH_FILES, token_hash, account, now):
        found.setdefault(draft, []).extend([file] if file else [])
    return list(found.items())


async def lock(tx: Tx, drafts: Sequence[UUID]) -> list[Draft]:
    """Lock these drafts and return them.  Every caller locks in the order of ids, which prevents deadlocks."""
    return await tx.all_as(_DRAFTS, _LOCK, list(drafts))


async def draft(tx: ReadTx, draft: UUID) -> Draft | None:
    """Return a draft, done or not; None if it does not exist."""
    return await tx.one_as(_DRAFTS, _DRAFT_BY_ID, draft)


async def renew_token(tx: Tx, old_hash: bytes, new_hash: bytes) -> None:
    """Replace the token of a draft, if the draft has no account and is not done."""
    await tx.run(_FOUND_BY_ANOTHER, new_hash, old_hash)


async def renew_key(tx: Tx, draft: UUID, old: str, new: str) -> None:
    """Replace the idempotency key `old` of a draft by `new`; without effect if the draft has another key by now."""
    await tx.run(_RENEW_KEY, new, draft, old)


async def adopt_alone(tx: Tx, token_hash: bytes, account: UUID, now: datetime) -> Draft | None:
    """Assign the draft of a token to the account, and return the draft.

    None, without effect, if the draft has an account already, or the account has another open draft.
    """
    return await tx.one_as(_DRAFTS, _ADOPT_ALONE, account, token_hash, now, account, now)


async def adopt(tx: Tx, draft: UUID, account: UUID | None, expires_at: datetime) -> None:
    """Assign a draft to the account, and set the time at which the draft expires."""
    await tx.run(_ADOPT, account, expires_at, draft)


async def merge(
    tx: Tx, into: UUID, others: Sequence[UUID], *, account: UUID | None, until: datetime
) -> None:
    """Move the files of `others` into the draft `into`.

    The emptied drafts become done drafts of the account that refer to `into`; they are kept until the time `until`.
    """
    await tx.run(_MOVE, into, list(others))
    await tx.run(_MERGED, into, account, until, list(others), list(others))


async def is_kept_for_an_owner(tx: ReadTx, token_hash: bytes, now: datetime) -> bool:
    """True if a draft that began with the token is now an open draft of an account, or was merged into such a draft."""
    (row,) = await tx.all(_KEPT_FOR, token_hash, now)
    return bool(row["is_kept"])


async def done_for(tx: ReadTx, token_hash: bytes, account: UUID, now: datetime) -> Draft | None:
    """Return the done draft of the account that began with the token, or into which the token's draft was merged.

    None if no such draft is kept.
    """
    return await tx.one_as(_DRAFTS, _DONE_FOR, account, now, token_hash)


async def move(tx: Tx, into: UUID, files: Sequence[UUID]) -> None:
    """Move files into another draft."""
    await tx.run(_MOVE_FILES, into, list(files))


async def finish_whole(
    tx: Tx, draft: UUID, order: UUID | None, ordered: Sequence[UUID]
) -> bool | None:
    """Mark a draft and all its files as ordered, or as stamped from the balance if there is no order.

    False if the draft was done before.  None, without effect, if it has files that are not in `ordered`.
    """
    is_ours = await tx.value(_FINISH_WHOLE, draft, order, list(ordered))
    assert is_ours is None or isinstance(is_ours, bool)
    return is_ours


async def finish(tx: Tx, draft: UUID, order: UUID | None, ordered: Sequence[UUID]) -> None:
    """Mark a draft and the files `ordered` as ordered, or as stamped from the balance if there is no order.

    The rows of all other files of the draft are deleted.
    """
    await tx.run(_DONE, order, draft)
    await tx.run(_ORDERED, draft, list(ordered))
    await tx.run(_NOT_ORDERED, draft)


async def renew(tx: Tx, draft: UUID, until: datetime) -> Draft | None:
    """Keep a draft at least until a time, and return it; None, without effect, if no byte of its files is stored."""
    return await tx.one_as(_DRAFTS, _RENEW, until, draft)


async def keep(tx: Tx, draft: UUID, until: datetime) -> None:
    """Keep a draft at least until a time."""
    await tx.run(_KEEP, until, draft)


async def usage(tx: ReadTx, draft: UUID) -> DraftUsage:
    """Return the number of files of a draft, and their stored bytes."""
    found = await tx.one_as(_USAGES, _USAGE, draft)
    assert found is not None
    return found


def bounded_networks(network: str) -> tuple[tuple[str, int], ...]:
    """Return the names of a network and of the widest network around it.

    Each name comes with its limit, as a multiple of the limit of a single network.
    """
    names = nested(network)
    return (network, 1), (names[-1], WIDER_AT_ONCE[len(names) - 1])


async def networks(tx: ReadTx, names: Sequence[str]) -> list[NetworkUsage]:
    """Return the stored bytes and drafts of each of these networks or widest networks; reads the rows of all files in them."""
    return await tx.all_as(_NETWORK_USAGES, _NETWORKS, list(names))


async def all_bytes(tx: ReadTx) -> int:
    """Return the stored bytes of all drafts.  Reads the rows of all their files."""
    (row,) = await tx.all(_ALL_BYTES)
    return int(row["sum"])


async def strangers_bytes(tx: ReadTx) -> int:
    """Return the stored bytes of drafts without an account.  Reads the rows of all their files."""
    (row,) = await tx.all(_STRANGERS_BYTES)
    return int(row["sum"])


async def add_file(
    tx: Tx,
    draft: Draft,
    file: NewFile,
    *,
    token_hash: bytes | None,
    until: datetime,
    limits: DraftLimits,
) -> DraftFile | None:
    """Add a file to a draft, keep the draft at least until a time, and return the file.

    With `token_hash` the draft is created first.  None if the draft was ordered since it was read, or was assigned to an
    account; see sql/functions/draft_file_take_in.sql.
    """
    bounds = dict(bounded_networks(draft.network))
    return await tx.one_as(
        _FILES,
        _ADD,
        draft.id,
        token_hash,
        draft.owner,
        list(bounds),
        [times * limits.drafts_of_network for times in bounds.values()],
        draft.order_key,
        draft.created_at,
        until,
        limits.files,
        limits.bytes,
        file.id,
        file.name,
        file.sent,
        file.size,
        file.digest,
        file.state,
        list(file.parts),
        file.leased_until,
        file.examinations,
        *_columns_of(file.found),
        file.refusal,
        jsonb(file.refusal_facts),
        file.at,
    )


def _columns_of(found: DraftExaminationResult | None) -> tuple[object, ...]:
    """Return the values of the columns sha256, pages, sizes, is_stamped and rules; defaults without a result."""
    if found is None:
        return None, None, jsonb([]), False, 0
    sizes = jsonb([[one.page, one.width, one.height] for one in found.sizes])
    return found.sha256, found.pages, sizes, found.is_stamped, found.rules


async def files(tx: ReadTx, draft: UUID) -> list[DraftFile]:
    """Return the files of a draft, in the order in which they were chosen."""
    return await tx.all_as(_FILES, _OF_DRAFT, draft)


async def file(tx: ReadTx, draft: UUID, file: UUID) -> DraftFile | None:
    """Return one file of a draft; None if the draft has no such file."""
    return await tx.one_as(_FILES, _ONE, draft, file)


async def append(
    tx: Tx,
    file: DraftFile,
    *,
    offset: int,
    size: int,
    part: UUID,
    at: datetime,
    leased_until: datetime,
) -> DraftFile | None:
    """Record a stored part, and return the file; None if the upload has another offset by now.

    `offset` and `size` are in bytes.  After the last part the file is leased to the caller, which then examines it.
    """
    return await tx.one_as(
        _FILES, _APPEND, part, at, leased_until, offset, offset + size, file.draft, file.id
    )


async def to_examine(tx: Tx, leased_until: datetime, now: datetime, limit: int) -> list[DraftFile]:
    """Lease up to `limit` files that no process examines, and return them.

    Networks take turns, and so do the drafts of each network.
    """
    return await tx.all_as(_FILES, _TO_EXAMINE, now, now, limit, leased_until)


async def accept(tx: Tx, file: UUID, found: DraftExaminationResult) -> bool:
    """Record that the file can be stamped.  False if another process recorded a result before, or the file was taken out."""
    columns = _columns_of(found)
    return await tx.run(_ACCEPT, found.state, found.size, found.size, *columns, file) == 1


async def refuse(tx: Tx, file: UUID, code: str, facts: dict[str, object]) -> bool:
    """Record that the file cannot be stamped.  False if another process recorded a result before, or the file was taken out."""
    return await tx.run(_REFUSE, code, jsonb(facts), file) == 1


async def let_go(tx: Tx, file: UUID, at: datetime, *, is_begun: bool) -> None:
    """Set the time `at` as the end of a file's lease, after an examination without a result.

    If the examination did not begin, since no slot was free (`is_begun` is False), it does not count as an examination of the
    file.
    """
    await tx.run(_LET_GO, at, not is_begun, file)


async def place(
    tx: Tx, draft: UUID, file: UUID, placements: Sequence[dict[str, object]], version: int
) -> DraftFile | None:
    """Set the placements of a file, and return the file.

    None, without effect, if the file has another version by now or cannot be stamped, or the draft is done.
    """
    return await tx.one_as(_FILES, _PLACE, jsonb(list(placements)), draft, file, version)


async def take_out(tx: Tx, draft: UUID, file: UUID) -> DraftFile | None:
    """Delete a file from a draft that is not done, and return it; None if there is no such file."""
    return await tx.one_as(_FILES, _TAKE_OUT, draft, file)


async def expired(tx: ReadTx, now: datetime, limit: int) -> list[Draft]:
    """Return up to `limit` expired drafts, the earliest expired first."""
    return await tx.all_as(_DRAFTS, _EXPIRED, now, limit)


async def forget_unfinished(tx: Tx, now: datetime, limit: int) -> list[DraftFile]:
    """Delete up to `limit` unfinished files that got no further part in time, and return them."""
    befores = now - EMPTY_LIVES, now - UNFINISHED_LIVES
    return await tx.all_as(_FILES, _FORGET_UNFINISHED, *befores, limit)


async def forget(tx: Tx, draft: UUID, now: datetime) -> list[DraftFile]:
    """Delete an expired draft and its files, and return the files."""
    if not await tx.run(_FORGET, draft, now):
        return []  # the draft was used again, and has not expired
    return await tx.all_as(_FILES, _FORGET_FILES, draft)


async def wanted(tx: ReadTx, named: Sequence[DraftObject]) -> list[DraftObject]:
    """Return the objects among `named` to which a row of a file refers."""
    columns = ([one.file for one in named], [one.object for one in named])
    return await tx.all_as(_OBJECTS, _WANTED, *columns)
