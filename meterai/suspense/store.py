"""SQL of the suspense book, one function for each statement."""

from collections.abc import Sequence
from uuid import UUID

from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper
from meterai.suspense.model import (
    DUE_SECONDS,
    Break,
    Item,
    KeyedItem,
    OpenBreak,
    ProviderNews,
    RecordItem,
    Resolution,
    SuspenseCounts,
)

_COLUMNS = (
    "item_id AS id, source, reason, reference, payment, amount, booked, owner, state, opened_at, due_at,"
    " times_told, resolved_at, resolution, resolved_by, note, difference, item_key AS key"
)
_KEEP = "SELECT suspense_keep(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) AS is_new"
_KEEP_BREAK = "SELECT suspense_keep_break(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) AS is_new"
_RESOLVE = "SELECT suspense_resolve(%s, %s, %s, %s) AS outcome"
_ITEM = f"SELECT {_COLUMNS} FROM suspense_items WHERE item_id = %s"  # noqa: S608
_LOCKED_ITEM = f"{_ITEM} FOR UPDATE"
_OPEN_ITEMS = f"""
SELECT {_COLUMNS} FROM suspense_items WHERE state = 'open' ORDER BY due_at, item_id LIMIT %s
"""  # noqa: S608 - columns are a constant
# Items in any state; their indexes are suspense_items_about and suspense_items_by_number.
OF_REFERENCES = f"""
SELECT {_COLUMNS} FROM suspense_items WHERE reference = ANY(%s) ORDER BY opened_at DESC LIMIT %s
"""  # noqa: S608
BY_NUMBER = f"""
SELECT {_COLUMNS} FROM suspense_items WHERE reference = %s OR payment = %s ORDER BY opened_at DESC LIMIT %s
"""  # noqa: S608
# Only items without money in the book: if their payment became known in another way, it is booked there.
_EXPLAINED = """
SELECT suspense_resolve(item_id, 'explained', 'payments', %s) FROM suspense_items
WHERE state = 'open' AND reference = %s AND booked = 0
    AND CASE WHEN reason IN ('amount_unreadable', 'status_contradicts', 'unconfirmed') THEN payment = %s
             WHEN reason = 'number_missing' THEN coalesce(amount, %s) = %s ELSE false END
"""
# Items for news that a payment was given back; run once that money has left the books.
_GIVEN_BACK = """
SELECT suspense_resolve(item_id, 'explained', 'payments', 'in the books') FROM suspense_items
WHERE state = 'open' AND reason = 'refunded_there' AND reference = %s AND payment = %s
"""
_ENDED = """
SELECT suspense_resolve(item_id, 'explained', 'payments', %s) FROM suspense_items
WHERE state = 'open' AND item_key = %s AND booked = 0
"""
_OPEN_ABOUT = f"""
SELECT {_COLUMNS} FROM suspense_items
WHERE state = 'open' AND (reference = ANY(%s) OR payment = ANY(%s)) ORDER BY due_at, item_id LIMIT %s
"""  # noqa: S608
_FIGURES = """
SELECT count(*) AS open, count(*) FILTER (WHERE due_at <= now()) AS overdue,
    coalesce(extract(epoch FROM now() - min(opened_at)), 0)::double precision AS oldest_seconds,
    coalesce(sum(booked), 0)::bigint AS booked
FROM suspense_items WHERE state = 'open'
"""
_TOLD = "SELECT told FROM suspense_items WHERE item_id = %s"
_OPEN_BREAKS = """
SELECT item_id AS id, item_key AS key, payment FROM suspense_items
WHERE state = 'open' AND source = 'record' AND (starts_with(item_key, %s) OR starts_with(item_key, %s))
ORDER BY due_at LIMIT %s
"""
# The second half uses the index suspense_items_to_blank: the text of an item is deleted half a year after its end.
_QUESTIONS = """
SELECT item_id AS id, item_key AS key, true AS is_open FROM suspense_items
WHERE state = 'open' AND reason IN ('unanswered', 'unconfirmed')
UNION ALL
SELECT item_id, item_key, false FROM suspense_items
WHERE state = 'resolved' AND told <> '' AND reason IN ('unanswered', 'unconfirmed') AND resolved_by <> 'payments'
    AND resolved_at > now() - interval '7 days'
"""
_OPEN_BY_REASON = """
SELECT item_id AS id, item_key AS key, told AS evidence FROM suspense_items
WHERE state = 'open' AND source = 'record' AND reason = ANY(%s) ORDER BY opened_at, item_id LIMIT %s
"""
_SUM_OF_ENDED = """
SELECT coalesce(sum(difference), 0)::bigint AS rupiah FROM suspense_items
WHERE source = 'record' AND starts_with(item_key, %s) AND resolution IN ('fee', 'written_off')
"""
_OPEN_BREAK = RowMapper(OpenBreak)
_KEPT = RowMapper(KeyedItem)
_TOLD_ITEMS = RowMapper(RecordItem)
_ITEMS = RowMapper(Item)
_FIGURE = RowMapper(SuspenseCounts)


async def keep(tx: Tx, item: UUID, news: ProviderNews) -> bool:
    """Keep a provider's news and its money as a suspense item with this id; False if an item for the same news exists already."""
    is_new = await tx.value(
        _KEEP,
        item,
        news.key,
        news.source,
        news.reason,
        news.reference,
        news.payment,
        news.amount and news.amount.value,
        news.is_money,
        news.told,
        DUE_SECONDS,
    )
    return bool(is_new)


async def resolve(tx: Tx, item: UUID, resolution: Resolution, actor: str, note: str) -> str:
    """Resolve a suspense item; returns the outcome, named as in sql/functions/suspense_resolve.sql."""
    outcome = await tx.value(_RESOLVE, item, resolution, actor, note)
    assert isinstance(outcome, str)
    return outcome


async def open_items(tx: ReadTx, limit: int) -> list[Item]:
    """Open suspense items, the most urgent first."""
    return await tx.all_as(_ITEMS, _OPEN_ITEMS, limit)


async def open_about(
    tx: ReadTx, references: Sequence[str], payments: Sequence[str], limit: int
) -> list[Item]:
    """Open suspense items with one of our `references`, or with one of the provider's payment numbers `payments`.

    The most urgent item is the first.
    """
    return await tx.all_as(_ITEMS, _OPEN_ABOUT, list(references), list(payments), limit)


async def keep_break(tx: Tx, item: UUID, found: Break, due_seconds: float) -> bool:
    """Keep a difference as a suspense item with this id, due in `due_seconds`; False if an item for the same difference exists
    already.
    """
    is_new: bool = await tx.value(
        _KEEP_BREAK,
        item,
        found.key,
        found.reason,
        found.reference,
        found.payment,
        None if found.amount is None else found.amount.value,
        found.is_money,
        None if found.is_money else found.difference or None,
        found.evidence,
        due_seconds,
    )
    return is_new


async def evidence(tx: ReadTx, identifier: UUID) -> bytes:
    """The evidence of a suspense item: the provider's message, or the lines that differ.

    Empty after the evidence was deleted at the end of its retention.
    """
    found: bytes | None = await tx.value(_TOLD, identifier)
    return found or b""


async def open_breaks(tx: ReadTx, begins: str, or_begins: str, limit: int) -> list[OpenBreak]:
    """Open suspense items for differences between a provider's records and our books.

    Only items whose keys begin with `begins` or `or_begins` are returned.
    """
    return await tx.all_as(_OPEN_BREAK, _OPEN_BREAKS, begins, or_begins, limit)


async def questions(tx: ReadTx) -> list[KeyedItem]:
    """Suspense items for status queries that the provider did not answer or confirm.

    These are the open items, and the items that a person resolved in the last 7 days.
    """
    return await tx.all_as(_KEPT, _QUESTIONS)


async def open_by_reason(tx: ReadTx, reasons: Sequence[str], limit: int) -> list[RecordItem]:
    """Open suspense items that have one of these reasons and are about differences between a provider's record and our books,
    oldest first.
    """
    return await tx.all_as(_TOLD_ITEMS, _OPEN_BY_REASON, list(reasons), limit)


async def sum_of_ended(tx: ReadTx, begins: str) -> int:
    """Sum of differences in rupiah, over the suspense items that were resolved as a fee or written off.

    Only items whose keys begin with `begins` are counted.
    """
    rupiah: int = await tx.value(_SUM_OF_ENDED, begins)
    return rupiah


async def item(tx: Tx, identifier: UUID) -> Item | None:
    """One suspense item, locked until the transaction ends; None if there is no such item."""
    return await tx.one_as(_ITEMS, _LOCKED_ITEM, identifier)


async def look(tx: ReadTx, identifier: UUID) -> Item | None:
    """The current state of a suspense item, without a lock; None if there is no such item."""
    return await tx.one_as(_ITEMS, _ITEM, identifier)


async def items_of(tx: ReadTx, references: Sequence[str], limit: int) -> list[Item]:
    """Suspense items with one of these references of ours, newest first."""
    return await tx.all_as(_ITEMS, OF_REFERENCES, list(references), limit)


async def items_by_number(tx: ReadTx, number: str, limit: int) -> list[Item]:
    """Suspense items whose reference, or whose provider's number of the payment, is this text; newest first."""
    return await tx.all_as(_ITEMS, BY_NUMBER, number, number, limit)


async def explained(tx: Tx, reference: str, payment: str, amount: int) -> None:
    """Resolve earlier items of a payment that is captured now.

    These are items for news that was incomplete, for instance without the payment's number or amount.  `amount` is in rupiah.
    """
    await tx.run(_EXPLAINED, f"captured {payment}", reference, payment, amount, amount)


async def given_back(tx: Tx, reference: str, payment: str) -> None:
    """Resolve the items for news that this payment was given back."""
    await tx.run(_GIVEN_BACK, reference, payment)


async def ended(tx: Tx, key: str, how: str) -> None:
    """Resolve the open item with this key if it has no money in the book `suspense`; `how` is the note of the resolution."""
    await tx.run(_ENDED, how, key)


async def figures(tx: ReadTx) -> SuspenseCounts:
    """Counts, age and money of open suspense items."""
    found = await tx.one_as(_FIGURE, _FIGURES)
    assert found is not None
    return found
