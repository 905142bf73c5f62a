"""The rail `wholesale`: an order is paid from the deposit of its seller, whose provider is our own database.

It opens nothing and is told nothing: the deposit pays when the sale is made, or later (`sale_take_waiting`), and the
buyer's side follows by that event.  It is asked, takes back, gives back and has a record as the rail of any bank, so
that what looks after those looks after this one.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec

from meterai.distribution import store
from meterai.distribution.model import SaleState
from meterai.distribution.numbers import METHOD, PREFIX, payment_number, sale_of_payment
from meterai.kit.money import Rupiah
from meterai.payments import (
    WHOLESALE,
    About,
    AttemptStatus,
    Connecting,
    Delivered,
    Deposit,
    Instructions,
    MadeBefore,
    Method,
    Movement,
    MovementKind,
    Notification,
    NotificationForged,
    OddLine,
    Opened,
    Payment,
    ProviderRefused,
    Rail,
    RailKind,
    RefundLine,
    RefundMade,
    Status,
    parse_reference,
    reference_of,
)
from meterai.plumbing.database import Database

MOVES_AT_ONCE = 10_000
TIMEOUT_SECONDS = 2.0  # a statement of our own database
# How long it is asked about an attempt; a refund has no window.
WINDOW_SECONDS = 86_400.0


class WholesaleRail:
    """Speaks to the deposits: a `Rail`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> Opened | MadeBefore:
        """There is nothing that a buyer does; the same sale answers the same again."""
        del method, amount, expires_at
        found = await self._sale(reference)
        if found is None:
            raise ProviderRefused("unknown", "no sale of this reference")
        number = payment_number(found.account, found.sale).removeprefix(PREFIX)
        return Opened(Deposit(found.seller), number)

    async def ask(self, about: About) -> AttemptStatus:
        """Whether the deposit has paid.

        A sale that ended otherwise than by its order is pending: its order ends by itself, and gets no other attempt.
        """
        found = await self._sale(about.reference)
        if found is None:
            return AttemptStatus(Status.UNKNOWN, ())
        if found.state is SaleState.TAKEN:
            paid = Payment(
                payment_number(found.account, found.sale), Rupiah(found.total), Status.PAID
            )
            return AttemptStatus(Status.PAID, (paid,))
        is_taken_back = found.end_cause == "order"
        return AttemptStatus(Status.CANCELLED if is_taken_back else Status.PENDING, ())

    async def cancel(self, about: About, reason: str) -> bool:
        """The sale waits no longer; false where the deposit has paid it."""
        del reason
        found = await self._sale(about.reference)
        if found is None:
            return True
        return await self._database.once(store.end, found.account, found.sale, "order")

    async def refund(self, about: About, payment: str, number: str, amount: Rupiah) -> RefundMade:
        """Money of a sale is deposit again."""
        del about
        account, sale = sale_of_payment(payment)
        given = await self._database.once(store.give_back, account, sale, number, amount.value)
        if given != amount.value:
            raise ProviderRefused("amount", f"{given} of {amount.value}")
        return RefundMade(number)

    async def refunded(self, about: About, number: str, amount: Rupiah) -> RefundMade | None:
        """What became of a refund, by all of them."""
        for line in await self.refunds_of(about):
            if line.number == number and line.amount == amount:
                return RefundMade(number)
        return None

    async def refunds_of(self, about: About) -> tuple[RefundLine, ...]:
        """Every refund of a sale."""
        found = await self._sale(about.reference)
        if found is None:
            return ()
        payment = payment_number(found.account, found.sale)
        return tuple(
            RefundLine(one.refund, one.refund, payment, Rupiah(one.amount))
            for one in await self._database.once(store.returned_of, found.account, found.sale)
        )

    async def history(self, begins: datetime, ends: datetime) -> AsyncIterator[Movement | OddLine]:
        """The movements of every deposit that are of sales."""
        async with self._database.reading() as tx:
            await store.open_moves(tx, begins, ends)
            while found := await store.next_moves(tx, MOVES_AT_ONCE):
                for one in found:
                    yield Movement(
                        MovementKind.REFUND if one.refund else MovementKind.PAYMENT,
                        one.at,
                        reference_of(one.buyer, one.attempt),
                        payment_number(one.account, one.sale),
                        Rupiah(one.amount),
                        one.refund or None,
                        one.refund or None,
                    )

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Nobody tells: refuses `NotificationForged`."""
        del path, headers, body
        raise NotificationForged("our own database tells nothing by HTTP")

    async def _sale(self, reference: str | None) -> store.AskedSale | None:
        buyer, attempt = parse_reference(reference or "")
        return await self._database.once(store.asked_by_attempt, buyer, attempt)


class WholesaleSettings(msgspec.Struct, frozen=True):
    """Nothing: what can be set is of the room."""


@asynccontextmanager
async def _connect(to: Connecting) -> AsyncIterator[Rail]:
    yield WholesaleRail(to.database)


def complaints(instructions: Instructions, amount: int, number: str) -> Iterator[str]:
    """Whatever is to be done to pay is not of this rail."""
    del amount, number
    if not isinstance(instructions, Deposit):
        yield "not the deposit of a seller"


def _reread(body: bytes) -> Notification:
    del body
    return Notification(is_readable=False)


WHOLESALE_RAIL = RailKind(
    name=WHOLESALE,
    methods=(Method(METHOD),),
    prefix=PREFIX,
    doors=(),
    settings=WholesaleSettings,
    needs=lambda _settings, _keyring: None,
    connect=_connect,
    complaints=lambda _settings: complaints,
    ourselves=lambda _settings: About(),
    reread=_reread,
    timeout_seconds=lambda _settings: TIMEOUT_SECONDS,
    call_seconds_max=lambda _settings: TIMEOUT_SECONDS,
    window_seconds=lambda _settings: WINDOW_SECONDS,
    is_own=True,
)
