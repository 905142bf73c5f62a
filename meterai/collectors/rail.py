"""The rail `credit`: an order of a collector is owed to the state by it, and the provider is our own database.

It is opened by a draw: where the limit of the month and the deposits of those before allow it, the order is paid in the same
transaction, else it waits (`credit_take_waiting`).  It is asked, takes back, gives back and has a record as the rail of any
bank, so that what looks after those looks after this one.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import msgspec

from meterai.collectors import store
from meterai.collectors.metrics import DRAWS
from meterai.collectors.model import CollectorState, CreditBeyondLimit, DrawState, NoCollector
from meterai.collectors.numbers import METHOD, PREFIX, draw_of_payment, payment_number
from meterai.collectors.settings import CollectorSettings
from meterai.kit.money import Rupiah
from meterai.payments import (
    CREDIT,
    About,
    AttemptStatus,
    Connecting,
    Credit,
    Delivered,
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
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database

MOVES_AT_ONCE = 10_000
WAITS_SECONDS_MAX = 7 * 86_400.0  # no order waits longer
TIMEOUT_SECONDS = 2.0  # a statement of our own database
# How long it is asked about an attempt; a refund has no window.
WINDOW_SECONDS = 86_400.0


class CreditRail:
    """Speaks to the credit of collectors: a `Rail`."""

    def __init__(self, database: Database, settings: CollectorSettings) -> None:
        self._database = database
        self._settings = settings

    async def admit(self, account: UUID, amount: Rupiah) -> None:
        """Refuses `NoCollector`, `CreditBeyondLimit`."""
        found = await self._database.once(store.collector, account)
        if found is None or found.state != CollectorState.OPEN:
            raise NoCollector("this account is no collector")
        if amount.value > found.limit_rupiah:
            raise CreditBeyondLimit(limit=found.limit_rupiah)

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> Opened | MadeBefore:
        """Draw: the order is paid at once, or waits; the same attempt is the same draw."""
        del method, expires_at
        account, attempt = parse_reference(reference)
        own = self._settings
        waits_for = await self._database.once(
            store.draw,
            account,
            attempt,
            amount.value,
            own.collector_stop_day,
            own.collector_free_months,
        )
        if waits_for is None:
            raise ProviderRefused("closed", "the account is no collector any more")
        DRAWS.labels(state="waiting" if waits_for else "taken").inc()
        number = payment_number(account, attempt).removeprefix(PREFIX)
        return Opened(Credit(waits_for or None), number)

    async def ask(self, about: About) -> AttemptStatus:
        """Whether it is drawn."""
        account, attempt = parse_reference(about.reference or "")
        found = await self._database.once(store.draw_of, account, attempt)
        if found is None:
            return AttemptStatus(Status.UNKNOWN, ())
        if found.state is DrawState.TAKEN:
            paid = Payment(payment_number(account, attempt), Rupiah(found.amount), Status.PAID)
            return AttemptStatus(Status.PAID, (paid,))
        is_ended = found.state is DrawState.ENDED
        return AttemptStatus(Status.CANCELLED if is_ended else Status.PENDING, ())

    async def cancel(self, about: About, reason: str) -> bool:
        """The draw waits no longer; false where it was taken."""
        del reason
        return await self._database.once(store.end, *parse_reference(about.reference or ""))

    async def refund(self, about: About, payment: str, number: str, amount: Rupiah) -> RefundMade:
        """Money of a draw is owed no more."""
        del about
        account, draw = draw_of_payment(payment)
        given = await self._database.once(store.give_back, account, draw, number, amount.value)
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
        """Every refund of a draw."""
        account, draw = parse_reference(about.reference or "")
        payment = payment_number(account, draw)
        return tuple(
            RefundLine(one.refund, one.refund, payment, Rupiah(one.amount))
            for one in await self._database.once(store.returned_of, account, draw)
        )

    async def history(self, begins: datetime, ends: datetime) -> AsyncIterator[Movement | OddLine]:
        """The movements of every draw."""
        async with self._database.reading() as tx:
            await store.open_moves(tx, begins, ends)
            while found := await store.next_moves(tx, MOVES_AT_ONCE):
                for one in found:
                    yield Movement(
                        MovementKind.REFUND if one.refund else MovementKind.PAYMENT,
                        one.at,
                        reference_of(one.account, one.draw),
                        payment_number(one.account, one.draw),
                        Rupiah(one.amount),
                        one.refund or None,
                        one.refund or None,
                    )

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Nobody tells: refuses `NotificationForged`."""
        del path, headers, body
        raise NotificationForged("our own database tells nothing by HTTP")


class CreditSettings(msgspec.Struct, frozen=True):
    """Nothing: what can be set is of the room."""


@asynccontextmanager
async def _connect(to: Connecting) -> AsyncIterator[Rail]:
    yield CreditRail(to.database, to.settings.of(CollectorSettings))


def complaints(instructions: Instructions, amount: int, number: str) -> Iterator[str]:
    """Whatever is to be done to pay is not of this rail."""
    del amount, number
    if not isinstance(instructions, Credit):
        yield "not the credit of a collector"


def _reread(body: bytes) -> Notification:
    del body
    return Notification(is_readable=False)


async def _admit(rail: Rail, account: UUID, amount: Rupiah) -> None:
    assert isinstance(rail, CreditRail)
    await rail.admit(account, amount)


def _offered(settings: Settings) -> tuple[Method, ...]:
    seconds = min(settings.of(CollectorSettings).collector_waits_seconds, WAITS_SECONDS_MAX)
    return (Method(METHOD, lapses_seconds=seconds, is_at_face=True),)


CREDIT_RAIL = RailKind(
    name=CREDIT,
    methods=(Method(METHOD, is_at_face=True),),
    offered=_offered,
    prefix=PREFIX,
    doors=(),
    settings=CreditSettings,
    needs=lambda _settings, _keyring: None,
    connect=_connect,
    complaints=lambda _settings: complaints,
    ourselves=lambda _settings: About(),
    reread=_reread,
    timeout_seconds=lambda _settings: TIMEOUT_SECONDS,
    call_seconds_max=lambda _settings: TIMEOUT_SECONDS,
    window_seconds=lambda _settings: WINDOW_SECONDS,
    is_own=True,
    admits=_admit,
)
