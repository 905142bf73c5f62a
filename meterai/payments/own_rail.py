"""Base of rails whose provider is our own database.

Such a rail answers queries, makes refunds and has a record like the rail of a bank, so that all periodic tasks and checks
apply.  The room of the rail defines what pays an attempt (the source, such as a sale from the deposit of a seller), and how
an attempt is opened, queried and cancelled.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import ClassVar, NamedTuple
from uuid import UUID

import msgspec

from meterai.kit.money import Rupiah
from meterai.payments import store
from meterai.payments.model import (
    AttemptStatus,
    Delivered,
    Instructions,
    MadeBefore,
    Movement,
    MovementKind,
    Notification,
    NotificationForged,
    OpenedAttempt,
    Payment,
    PaymentIdentity,
    PaymentMethod,
    ProviderRefused,
    ProviderStatus,
    RefundLine,
    RefundMade,
    UnmatchedLine,
    number_of,
    parse_number,
    reference_of,
)
from meterai.payments.rails import Connecting, Rail, RailKind
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database

MOVES_AT_ONCE = 10_000
TIMEOUT_SECONDS = 2.0  # for a statement in our own database
# Time in which an attempt is queried; refunds are possible at any time.
WINDOW_SECONDS = 86_400.0


class OwnSql(NamedTuple):
    """SQL statements of the room of a rail about the sources of payments.  A source is the row that pays an attempt, such as a
    sale from a seller's deposit or a draw on a collector's credit; it is identified by an account and an id.

    give_back  parameters: account, id, our number of a refund, rupiah.  Gives the rupiah back to the source, once; selects
               the sum given back under this number, NULL if too little is left
    returned   parameters: account, id.  Selects the columns of `OwnReturn` of each refund, oldest first
    moves      parameters: begin, end, begin, end.  Selects the columns of `OwnMove` of payments and refunds from the begin
               to before the end, oldest first
    """

    give_back: str
    returned: str
    moves: str


class OwnRail(ABC):
    """A `Rail` to our own database.

    name  name of the rail, which is also the prefix of the numbers of its payments
    sql   SQL statements of the room of the rail
    """

    name: ClassVar[str]
    sql: ClassVar[OwnSql]

    def __init__(self, database: Database) -> None:
        self._database = database

    @abstractmethod
    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """See `Rail.open`."""

    @abstractmethod
    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """See `Rail.ask`."""

    @abstractmethod
    async def cancel(self, about: PaymentIdentity, reason: str) -> bool:
        """See `Rail.cancel`."""

    @abstractmethod
    async def source(self, about: PaymentIdentity) -> tuple[UUID, UUID] | None:
        """(account, id) of the row that pays an attempt, such as a sale from a deposit or a draw on credit; None if there is
        none.
        """

    def opened(self, instructions: Instructions, account: UUID, source: UUID) -> OpenedAttempt:
        """The result of `open` for an attempt.  `account` and `source` identify the sale or the draw on credit that pays the
        attempt.
        """
        return OpenedAttempt(instructions, number_of("", account, source))

    def paid(self, account: UUID, source: UUID, amount: int) -> AttemptStatus:
        """The result of `ask` for an attempt that was paid with `amount` rupiah.  `account` and `source` identify the sale or
        the draw on credit that paid it.
        """
        number = own_number(self.name, account, source)
        payment = Payment(number, Rupiah(amount), ProviderStatus.PAID)
        return AttemptStatus(ProviderStatus.PAID, (payment,))

    async def refund(
        self, about: PaymentIdentity, payment: str, number: str, amount: Rupiah
    ) -> RefundMade:
        """Refund `amount` of a payment to the deposit or credit that paid it, under our refund `number`."""
        del about
        found = parse_number(_prefix(self.name), payment)
        assert found is not None, "the number of a payment has the form of another rail"
        told = (*found, number, amount.value)
        given = await self._database.once(store.give_back_own, self.sql.give_back, *told)
        if given != amount.value:
            raise ProviderRefused("amount", f"{given} of {amount.value}")
        return RefundMade(number)

    async def refunded(
        self, about: PaymentIdentity, number: str, amount: Rupiah
    ) -> RefundMade | None:
        """The refund with this number and amount; None if there is no such refund."""
        for line in await self.refunds_of(about):
            if line.number == number and line.amount == amount:
                return RefundMade(number)
        return None

    async def refunds_of(self, about: PaymentIdentity) -> tuple[RefundLine, ...]:
        """All refunds of an attempt."""
        found = await self.source(about)
        if found is None:
            return ()
        payment = own_number(self.name, *found)
        return tuple(
            RefundLine(one.refund, one.refund, payment, Rupiah(one.amount))
            for one in await self._database.once(store.returned_own, self.sql.returned, *found)
        )

    async def history(
        self, begins: datetime, ends: datetime
    ) -> AsyncIterator[Movement | UnmatchedLine]:
        """The payments by this rail and their refunds, from `begins` to before `ends`."""
        async with self._database.reading() as tx:
            await store.open_own_moves(tx, self.sql.moves, begins, ends)
            while found := await store.next_own_moves(tx, MOVES_AT_ONCE):
                for one in found:
                    yield Movement(
                        MovementKind.REFUND if one.refund else MovementKind.PAYMENT,
                        one.at,
                        reference_of(one.buyer, one.attempt),
                        own_number(self.name, one.account, one.id),
                        Rupiah(one.amount),
                        one.refund or None,
                        one.refund or None,
                    )

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Always refuses `NotificationForged`, since our own database sends no notifications."""
        del path, headers, body
        raise NotificationForged("our own rails send no notifications by HTTP")


class OwnRailSettings(msgspec.Struct, frozen=True):
    """Empty settings of a rail of our own database: its room has all settings that it needs."""


def own_number(name: str, account: UUID, source: UUID) -> str:
    """The payment number that the rail `name` gives to the payment from a source (the sale or draw on credit with this account
    and id).
    """
    return number_of(_prefix(name), account, source)


def _prefix(name: str) -> str:
    return f"{name}:"


def own_rail_kind(
    name: str,
    method: PaymentMethod,
    instructions: type[Instructions],
    rail: Callable[[Connecting], OwnRail],
    *,
    offered: Callable[[Settings], Sequence[PaymentMethod]] | None = None,
    admits: Callable[[Rail, UUID, Rupiah], Awaitable[None]] | None = None,
) -> RailKind:
    """The `RailKind` of a rail of our own database, which has one payment method and one class of instructions."""

    @asynccontextmanager
    async def connect(to: Connecting) -> AsyncIterator[Rail]:
        yield rail(to)

    def complaints(found: Instructions, _amount: int, _number: str) -> Iterator[str]:
        if not isinstance(found, instructions):
            yield f"no instructions of {name}"

    return RailKind(
        name=name,
        methods=(method,),
        offered=offered,
        prefix=_prefix(name),
        endpoints=(),
        settings=OwnRailSettings,
        needs=lambda _settings, _keyring: None,
        connect=connect,
        complaints=lambda _settings: complaints,
        ourselves=lambda _settings: PaymentIdentity(),
        reread=lambda _body: Notification(is_readable=False),
        timeout_seconds=lambda _settings: TIMEOUT_SECONDS,
        call_seconds_max=lambda _settings: TIMEOUT_SECONDS,
        window_seconds=lambda _settings: WINDOW_SECONDS,
        is_own=True,
        admits=admits,
    )
