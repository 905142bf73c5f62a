"""The suspense book: keep providers' news that cannot be booked, list open items, resolve items."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import structlog

from meterai import trail
from meterai.accounts import NOBODY
from meterai.kit.actor import Actor
from meterai.kit.ids import new_id, show
from meterai.kit.money import Rupiah
from meterai.kit.reasons import written_reason
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.suspense import metrics, store
from meterai.suspense.model import (
    DUE_SECONDS,
    SUSPENSE,
    Break,
    Item,
    ItemUnknown,
    MoneyBooked,
    PaymentContested,
    ProviderNews,
    Resolution,
    SuspenseCounts,
    SuspenseEvent,
    SuspenseState,
)

LISTED_MAX = 1_000  # items shown at once, the most urgent first
_log = structlog.get_logger()


async def keep(tx: Tx, news: ProviderNews) -> None:
    """Keep a provider's news as a suspense item, since it cannot be booked to an order; its money, if any, is booked in the
    book `suspense`.
    """
    item = new_id()
    if await store.keep(tx, item, news):
        _log.warning(
            "suspended", item=show("sus", item), reason=news.reason, is_money=news.is_money
        )


async def keep_break(tx: Tx, found: Break, due_seconds: float = DUE_SECONDS) -> bool:
    """Keep a difference between a provider's record and our books as a suspense item, due in `due_seconds`; True if the item
    is new.
    """
    item = new_id()
    is_new = await store.keep_break(tx, item, found, due_seconds)
    if is_new:
        _log.warning("break_opened", reason=found.reason, is_money=found.is_money)
    return is_new


async def explain(tx: Tx, item: UUID, how: str) -> None:
    """Resolve the item of a difference that a later record of the provider no longer shows; `how` is the note of the
    resolution.
    """
    await end(tx, item, Resolution.EXPLAINED, how)


async def end(tx: Tx, item: UUID, resolution: Resolution, how: str) -> None:
    """Resolve an item without the decision of a person, because a contract or another record explains the item.

    `how` is the note of the resolution.
    """
    await store.resolve(tx, item, resolution, "payments", how)


async def book(tx: Tx, found: Break, resolution: Resolution, how: str) -> None:
    """Book a difference that was agreed with the provider, such as a fee.

    A suspense item is opened and resolved immediately, with an entry in the ledger.
    """
    item = new_id()
    if await store.keep_break(tx, item, found, DUE_SECONDS):
        await end(tx, item, resolution, how)


async def open_items(tx: ReadTx) -> list[Item]:
    """Open suspense items, the most urgent first."""
    return await store.open_items(tx, LISTED_MAX)


async def open_about(tx: ReadTx, references: Sequence[str], payments: Sequence[str]) -> list[Item]:
    """Open suspense items with one of our `references`, or with one of the provider's payment numbers `payments`.

    The most urgent item is the first.
    """
    return await store.open_about(tx, references, payments, LISTED_MAX)


async def load(tx: Tx, identifier: UUID) -> Item:
    """Return a suspense item, locked until the transaction ends.  Refuses `ItemUnknown`."""
    found = await store.item(tx, identifier)
    if found is None:
        raise ItemUnknown("no such item")
    return found


async def look(tx: ReadTx, identifier: UUID) -> Item:
    """The current state of a suspense item.  Refuses `ItemUnknown`."""
    found = await store.look(tx, identifier)
    if found is None:
        raise ItemUnknown("no such item")
    return found


async def check_resolves(tx: ReadTx, identifier: UUID, resolution: Resolution) -> Item:
    """Return the suspense item if an operator may resolve it in this way.

    Refuses `ItemUnknown`, `MoneyBooked`, and `NotAllowedNow` for a resolved item.
    """
    found = await look(tx, identifier)
    SUSPENSE.after(found.state, SuspenseEvent(resolution))
    if not found.allows(resolution):
        raise MoneyBooked("the money of the item is already in the books, or there is none")
    return found


async def explained(tx: Tx, reference: str, payment: str, amount: Rupiah) -> None:
    """Resolve earlier items of a payment that is captured now.

    These are items for news that was incomplete, for instance without the payment's number or amount.
    """
    await store.explained(tx, reference, payment, amount.value)


async def ended(tx: Tx, key: str, how: str) -> None:
    """Resolve the open item with this key, since its cause has ended; an item with money in the book `suspense` stays open."""
    await store.ended(tx, key, how)


async def given_back(tx: Tx, reference: str, payment: str) -> None:
    """Resolve the items for news that this payment was given back; to be called when that money has left the books."""
    await store.given_back(tx, reference, payment)


async def resolve(tx: Tx, item: UUID, resolution: Resolution, *, actor: Actor, note: str) -> None:
    """Resolve an open suspense item, for an operator.

    Refuses `ReasonMissing`, `ItemUnknown`, `MoneyBooked`, `PaymentContested`, and `NotAllowedNow` for a resolved item.
    """
    note = written_reason(note)
    subject = show("sus", item)
    match await store.resolve(tx, item, resolution, str(actor), note):
        case "unknown":
            raise ItemUnknown("no such item")
        case "known":
            SUSPENSE.after(SuspenseState.RESOLVED, SuspenseEvent(resolution))
        case "money_is_booked":
            raise MoneyBooked("the money of the item is already in the books")
        case "contested":
            raise PaymentContested("another item concerns the same payment")
        case _:
            action = f"suspense_{resolution}"
            await trail.record(tx, NOBODY, actor=actor, action=action, subject=subject)
            tx.after_commit(
                partial(_log.info, "suspense_resolved", item=subject, resolution=resolution)
            )


class SuspenseService:
    """Resolves suspense items, each in a transaction, and counts open items for the metrics."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def resolve(self, item: UUID, resolution: Resolution, *, actor: Actor, note: str) -> None:
        """Run the function `resolve` in a new transaction."""
        await self._database.run(
            partial(resolve, item=item, resolution=resolution, actor=actor, note=note)
        )

    async def figures(self) -> SuspenseCounts:
        """Counts, age and money of open suspense items."""
        return await self._database.once(store.figures)

    async def watch(self) -> int:
        """Periodic task: set the metrics of open suspense items; returns 0, since it processes no rows."""
        found = await self.figures()
        metrics.OPEN.set(found.open)
        metrics.OVERDUE.set(found.overdue)
        metrics.OLDEST.set(found.oldest_seconds)
        metrics.BOOKED.set(found.booked)
        return 0
