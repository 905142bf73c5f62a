"""SQL of cases, one function per query."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from meterai.cases.model import (
    ADDRESS_VERSION,
    Author,
    Case,
    CaseMessage,
    Complaint,
    ComplaintSubject,
    DueCase,
    Filter,
    MessageKind,
    joins_key,
)
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper

_COLUMNS = (
    "account_id AS account, case_id AS id, matter, about, order_id AS order, contact, language, state,"
    " owner_id AS owner, answer, answer_facts, facts_sha256, answered_at, answered_by, outcome, opened_at, due_at, closes_at,"
    " closed_at, reopened_at, times_told AS told"
)
_SELECT = f"SELECT {_COLUMNS} FROM cases"  # noqa: S608 - columns are a constant
_CASE = _SELECT + " WHERE account_id = %s AND case_id = %s"
_CASE_BY_ID = _SELECT + " WHERE case_id = %s"
_CASE_BY_KEY = f"""
{_SELECT} WHERE account_id = %s AND case_id =
    (SELECT case_id FROM case_messages WHERE account_id = %s AND idempotency_key = %s)
"""  # noqa: S608 - columns are a constant
_NOT_CLOSED = _SELECT + (
    " WHERE account_id = %s AND joins_key = %s AND state <> 'closed' FOR UPDATE"
)
_OF_ACCOUNTS = _SELECT + (
    " WHERE account_id = ANY(%s) AND case_id < %s ORDER BY case_id DESC LIMIT %s"
)
_OF_ORDER = _SELECT + " WHERE account_id = %s AND order_id = %s ORDER BY case_id"
_OF_ORDER_NOT_CLOSED = _SELECT + (
    " WHERE account_id = %s AND order_id = %s AND state <> 'closed' ORDER BY case_id FOR UPDATE"
)
_ALL_NOT_CLOSED = _SELECT + (
    " WHERE account_id = %s AND state <> 'closed' ORDER BY case_id FOR UPDATE"
)
# The version of a UUID is the first digit of its third group.
UNSIGNED = f"(substr(account_id::text, 15, 1) = '{ADDRESS_VERSION}')"
_DUE = f"{_SELECT} WHERE state = 'open' ORDER BY {UNSIGNED}, due_at, case_id LIMIT %s"
_FILTERED = (
    " WHERE state = %s AND (%s::uuid IS NULL OR owner_id = %s) AND (NOT %s OR owner_id IS NULL)"
    f" AND (%s = '' OR matter = %s) AND (%s::bool IS NULL OR {UNSIGNED} = %s)"
)
_LISTED = f"{_SELECT}{_FILTERED} ORDER BY {UNSIGNED}, due_at, case_id DESC LIMIT %s OFFSET %s"
_COUNT = f"SELECT count(*) FROM cases{_FILTERED}"  # noqa: S608 - the filter is a constant
_TO_CLOSE = """
SELECT account_id AS account, case_id AS case FROM cases
WHERE state IN ('answered', 'asked') AND closes_at <= %s ORDER BY closes_at LIMIT %s
"""
_COUNTED_OF = """
SELECT count(*) FILTER (WHERE opened_at > %s) AS new, count(*) FILTER (WHERE state <> 'closed') AS waiting
FROM cases WHERE account_id = %s
"""
_INSERT = """
INSERT INTO cases (account_id, case_id, joins_key, matter, about, order_id, contact, language, opened_at, due_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (account_id, joins_key) WHERE state <> 'closed' DO NOTHING
"""
_MOVE = """
UPDATE cases SET state = %s, due_at = %s, closes_at = %s, closed_at = %s, reopened_at = %s, outcome = %s,
    answered_by = %s
WHERE account_id = %s AND case_id = %s
"""
_ANSWER = """
UPDATE cases SET answer = %s, answer_facts = %s, facts_sha256 = %s, answered_at = %s
WHERE account_id = %s AND case_id = %s
"""
_TOLD_AGAIN = "UPDATE cases SET times_told = times_told + 1 WHERE account_id = %s AND case_id = %s"
_OWN = "UPDATE cases SET owner_id = %s WHERE account_id = %s AND case_id = %s"
_MESSAGES = """
SELECT message_id AS id, author, kind, staff_id AS staff, words, written_at AS at FROM case_messages
WHERE account_id = %s AND case_id = %s ORDER BY message_id
"""
_REQUEST = """
SELECT request_hash FROM case_messages WHERE account_id = %s AND idempotency_key = %s
"""
_COUNTED = """
SELECT count(*) AS messages, count(*) FILTER (WHERE author = 'person') AS of_person,
    count(*) FILTER (WHERE kind = 'complaint') AS complaints
FROM case_messages
WHERE account_id = %s AND case_id = %s
"""
_INSERT_MESSAGE = """
INSERT INTO case_messages (account_id, case_id, message_id, author, kind, staff_id, words, idempotency_key,
                           request_hash, written_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (account_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
"""
_PICTURES = """
SELECT picture_id FROM case_pictures WHERE account_id = %s AND case_id = %s ORDER BY picture_id
"""
_PICTURE = """
SELECT webp FROM case_pictures WHERE account_id = %s AND case_id = %s AND picture_id = %s
"""
_INSERT_PICTURE = """
INSERT INTO case_pictures (account_id, case_id, picture_id, webp, added_at) VALUES (%s, %s, %s, %s, %s)
"""
_CASES = RowMapper(Case)
_MESSAGE_ROWS = RowMapper(CaseMessage)
_DUE_CASES = RowMapper(DueCase)


class MessageCounts(NamedTuple):
    """Counts in a case: all its messages, messages by the person who complained, and complaints joined in the case."""

    messages: int
    of_person: int
    complaints: int


class CountedOf(NamedTuple):
    """Numbers of new cases and of unclosed cases of an account."""

    new: int
    waiting: int


class NewMessage(NamedTuple):
    """A message to insert; `key` is the Idempotency-Key of its request, `request` the SHA-256 of the content."""

    id: UUID
    author: Author
    kind: MessageKind
    words: str
    at: datetime
    staff: UUID | None = None
    key: str | None = None
    request: bytes | None = None


_COUNTS = RowMapper(MessageCounts)
_COUNTS_OF = RowMapper(CountedOf)


async def insert(
    tx: Tx,
    account: UUID,
    case: UUID,
    complaint: Complaint,
    about: ComplaintSubject,
    at: datetime,
    due_at: datetime,
) -> bool:
    """Insert a case; return False if the account has an unclosed case with the same matter and subject."""
    row = (
        account,
        case,
        joins_key(complaint.matter, about.shown),
        complaint.matter,
        about.shown,
        about.order,
        complaint.contact,
        complaint.language,
    )
    return bool(await tx.run(_INSERT, *row, at, due_at))


async def case(tx: ReadTx, account: UUID, case_id: UUID, *, is_locked: bool = False) -> Case | None:
    """Return a case of an account; with `is_locked`, lock it until the transaction ends."""
    query = _CASE + (" FOR UPDATE" if is_locked else "")
    return await tx.one_as(_CASES, query, account, case_id)


async def case_by_id(tx: ReadTx, case_id: UUID) -> Case | None:
    """Return a case of any account by its id; None if it does not exist."""
    return await tx.one_as(_CASES, _CASE_BY_ID, case_id)


async def case_by_key(tx: ReadTx, account: UUID, key: str) -> Case | None:
    """Return the case of the request with this Idempotency-Key; None if no request has used it."""
    return await tx.one_as(_CASES, _CASE_BY_KEY, account, account, key)


async def request_of(tx: ReadTx, account: UUID, key: str) -> bytes | None:
    """Return the SHA-256 of the request with this Idempotency-Key; None if no request has used it."""
    found = await tx.value(_REQUEST, account, key)
    return bytes(found) if found is not None else None


async def not_closed(tx: Tx, account: UUID, joins: str) -> Case | None:
    """Return the unclosed case with this `joins_key`, locked until the transaction ends."""
    return await tx.one_as(_CASES, _NOT_CLOSED, account, joins)


async def all_not_closed(tx: Tx, account: UUID) -> list[Case]:
    """Return all unclosed cases of an account key, locked until the transaction ends."""
    return await tx.all_as(_CASES, _ALL_NOT_CLOSED, account)


async def cases_of_accounts(
    tx: ReadTx, accounts: Sequence[UUID], before: UUID, limit: int
) -> list[Case]:
    """Return up to `limit` cases of these account keys that are older than the case `before`, the newest first."""
    return await tx.all_as(_CASES, _OF_ACCOUNTS, list(accounts), before, limit)


async def cases_of_order(tx: ReadTx, account: UUID, order: UUID) -> list[Case]:
    """Return every case about an order."""
    return await tx.all_as(_CASES, _OF_ORDER, account, order)


async def open_cases_of_order(tx: Tx, account: UUID, order: UUID) -> list[Case]:
    """Return the unclosed cases about an order, locked until the transaction ends."""
    return await tx.all_as(_CASES, _OF_ORDER_NOT_CLOSED, account, order)


async def due(tx: ReadTx, limit: int) -> list[Case]:
    """Return cases that wait for staff, most urgent first, those sent without sign-in last."""
    return await tx.all_as(_CASES, _DUE, limit)


def _filled(by: Filter) -> tuple[object, ...]:
    whose = (by.owner, by.owner, by.is_unowned)
    return (by.state, *whose, by.matter, by.matter, by.is_unsigned, by.is_unsigned)


async def listed(tx: ReadTx, by: Filter, limit: int, skipped: int) -> list[Case]:
    """Return cases that match a filter, most urgent first, those sent without sign-in last."""
    return await tx.all_as(_CASES, _LISTED, *_filled(by), limit, skipped)


async def count(tx: ReadTx, by: Filter) -> int:
    """Count the cases that match a filter."""
    return int(await tx.value(_COUNT, *_filled(by)))


async def to_close(tx: ReadTx, now: datetime, limit: int) -> list[DueCase]:
    """Return cases whose `closes_at` has passed, the oldest time first."""
    return await tx.all_as(_DUE_CASES, _TO_CLOSE, now, limit)


async def counted_of(tx: ReadTx, account: UUID, since: datetime) -> CountedOf:
    """Count the cases that an account opened since a moment, and all its unclosed cases."""
    found = await tx.one_as(_COUNTS_OF, _COUNTED_OF, since, account)
    assert found is not None, "a count has one row"
    return found


async def move(tx: Tx, moved: Case) -> None:
    """Store the state of a case, with its times."""
    await tx.run(
        _MOVE,
        moved.state,
        moved.due_at,
        moved.closes_at,
        moved.closed_at,
        moved.reopened_at,
        moved.outcome,
        moved.answered_by,
        moved.account,
        moved.id,
    )


async def answer(
    tx: Tx, of: Case, code: str, facts: Mapping[str, object], digest: bytes, at: datetime
) -> None:
    """Store an automatic answer: its `code`, the `facts` that its text states, and the `digest` of all facts behind it."""
    await tx.run(_ANSWER, code, jsonb(dict(facts)), digest, at, of.account, of.id)


async def told_again(tx: Tx, of: Case) -> None:
    """Increment the number of complaints in a case."""
    await tx.run(_TOLD_AGAIN, of.account, of.id)


async def own(tx: Tx, of: Case, staff: UUID) -> None:
    """Assign a case to a member of staff."""
    await tx.run(_OWN, staff, of.account, of.id)


async def messages(tx: ReadTx, of: Case) -> list[CaseMessage]:
    """Return every message of a case, the oldest first."""
    return await tx.all_as(_MESSAGE_ROWS, _MESSAGES, of.account, of.id)


async def counted(tx: ReadTx, of: Case) -> MessageCounts:
    """Count the messages of a case."""
    found = await tx.one_as(_COUNTS, _COUNTED, of.account, of.id)
    assert found is not None, "a count has one row"
    return found


async def write(tx: Tx, of: Case, message: NewMessage) -> bool:
    """Insert a message of a case; return False if another message has its Idempotency-Key."""
    added = await tx.run(
        _INSERT_MESSAGE,
        of.account,
        of.id,
        message.id,
        message.author,
        message.kind,
        message.staff,
        message.words,
        message.key,
        message.request,
        message.at,
    )
    return bool(added)


async def pictures(tx: ReadTx, of: Case) -> list[UUID]:
    """Return the ids of the pictures of a case, the oldest first."""
    return [row["picture_id"] for row in await tx.all(_PICTURES, of.account, of.id)]


async def picture(tx: ReadTx, of: Case, picture_id: UUID) -> bytes | None:
    """Return a picture of a case, in WebP."""
    found = await tx.value(_PICTURE, of.account, of.id, picture_id)
    return bytes(found) if found is not None else None


async def keep_picture(tx: Tx, of: Case, picture_id: UUID, webp: bytes, at: datetime) -> None:
    """Insert a picture of a case."""
    await tx.run(_INSERT_PICTURE, of.account, of.id, picture_id, webp, at)


async def pictures_of(tx: ReadTx, accounts: Sequence[UUID], limit: int) -> list[tuple[str, bytes]]:
    """Return pictures of all cases of these accounts, each with its id, in the order of ids."""
    rows = await tx.all(
        "SELECT picture_id, webp FROM case_pictures WHERE account_id = ANY(%s) ORDER BY picture_id LIMIT %s",
        list(accounts),
        limit,
    )
    return [(str(row["picture_id"]), bytes(row["webp"])) for row in rows]


async def told_within(tx: ReadTx, begin: datetime, end: datetime) -> int:
    """Count the cases opened in a period."""
    return int(
        await tx.value(
            "SELECT count(*) FROM cases WHERE opened_at >= %s AND opened_at < %s", begin, end
        )
    )
