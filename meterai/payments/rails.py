"""Rails: how money comes and goes, each by a protocol of its own; and those of an installation.

A rail is a package of `adapters`.  What it may speak is its own: its codes, headers, paths, and what
is in a QR.  What it answers is of `model`.  It knows no database and no order, and keeps nothing
between calls but connections.

A `RailKind` is a rail as the code knows it, before a process has keys or connections; an installation
has those that `payment_rails` names.  Names of rails and methods are in rows, so they never change.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from meterai.commands import Demand, KeyFile
from meterai.kit.clock import Clock
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Malformed
from meterai.payments.model import (
    About,
    CallNotBegun,
    Channel,
    Delivered,
    Instructions,
    MadeBefore,
    Movement,
    NoAnswer,
    Notification,
    OddLine,
    Opened,
    ProviderUnreachable,
    RailNotConfigured,
    RefundLine,
    RefundMade,
    TransactionStatus,
)
from meterai.payments.settings import PaymentSettings
from meterai.plumbing.config import ConfigurationWrong, Settings
from meterai.plumbing.keyring import Keyring
from meterai.plumbing.outgoing import NotBegun, Outgoing


class Rail(Protocol):
    """Speaks to one provider.  Every call may be repeated: the reference, or the number, is the same.

    Every call refuses `OutcomeUnknown` where the provider may have acted (`NoAnswer` where nothing at
    all came back), `ProviderUnreachable` where nothing was sent, `ProviderRefused` where it said no,
    and raises nothing else.  An answer is compared with what was asked (`differences`): one about
    something else is `AboutAnother`, an `OutcomeUnknown`.

    A payment has a number that no payment of another rail has: all begin with the `prefix` of the
    rail, and the rail takes it off again where it speaks to its provider.
    """

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> Opened | MadeBefore:
        """Have instructions made by which `amount` is paid, at least until `expires_at`.

        Instructions that pay another, or another amount, are `OutcomeUnknown`: they exist, and
        nobody may see them.
        """
        ...

    async def ask(self, about: About) -> TransactionStatus:
        """What became of an attempt; one that the provider does not know has status `UNKNOWN`."""
        ...

    async def cancel(self, about: About, reason: str) -> bool:
        """Take back what was not paid; false where it was paid meanwhile, or has ended."""
        ...

    async def refund(self, about: About, payment: str, number: str, amount: Rupiah) -> RefundMade:
        """Give so much of a payment back under our `number`; a repeat gives nothing twice."""
        ...

    async def refunded(self, about: About, number: str, amount: Rupiah) -> RefundMade | None:
        """What became of a refund; None where the provider has not made it."""
        ...

    async def refunds_of(self, about: About) -> tuple[RefundLine, ...]:
        """Every refund of an attempt in the provider's own record, asked for by us or not."""
        ...

    def history(self, begins: datetime, ends: datetime) -> AsyncIterator[Movement | OddLine]:
        """The provider's own record from `begins` on and before `ends`, in the order it moved.

        A line that cannot be read is an `OddLine`, and hides no other.
        """
        ...

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Check the signature of a notification and read it, whatever it says.

        Names of headers are lower case.  Refuses `NotificationForged`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where a provider tells us: a route of our own for each rail.

    headers  those that it reads, in lower case: each comes once
    answer   the body of an answer with this HTTP status, and why where there is a reason: 200 kept,
             401 forged, 409 its id came before with another body, else what HTTP says
    busy     status and body where the process has no room: nothing was read or kept, and it is to be
             sent again; not a word of it depends on what was sent
    """

    path: str
    summary: str
    headers: tuple[str, ...]
    answer: Callable[[int, str], Mapping[str, object]]
    busy: tuple[int, Mapping[str, object]]


# Why nobody should pay by these instructions: what of them is not ours or not the attempt's.  Given
# its amount in rupiah, and the provider's number of it.
Complaints = Callable[[Instructions, int, str], Iterator[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RailKind:
    """A rail as the code knows it.

    name        the `provider` of its rows
    methods     what an order may ask for; each is of one rail
    prefix      of the numbers of its payments; no other rail's
    door        where its provider tells us
    settings    the Struct of its settings
    demands     what production demands of them, where the installation has this rail
    undemanded  settings of which nothing is demanded, and why any value of them can be served with
    keys        the files of keys that production needs, each made of those before it
    needs       refuses where something is missing that `connect` needs
    connect     opens it: nothing is sent yet
    complaints  what is wrong with instructions, from the settings alone
    ourselves   who we are in what its provider tells: news of another is not ours
    reread      what a kept notification says, as `Rail.notification` read it
    timeout_seconds   of one call on the wire
    call_seconds_max  of one call of a `Rail`, with all it takes
    window_seconds    how long its provider answers about a payment
    """

    name: str
    methods: tuple[str, ...]
    prefix: str
    door: Door
    settings: type[msgspec.Struct]
    demands: Sequence[Demand] = ()
    undemanded: Mapping[str, str] = field(default_factory=dict)
    keys: Callable[[Settings], Iterable[KeyFile]] = lambda _settings: ()
    needs: Callable[[Settings, Keyring], None]
    connect: Callable[[Settings, Keyring, Clock], AbstractAsyncContextManager[Rail]]
    complaints: Callable[[Settings], Complaints]
    ourselves: Callable[[Settings], About]
    reread: Callable[[bytes], Notification]
    timeout_seconds: Callable[[Settings], float]
    call_seconds_max: Callable[[Settings], float]
    window_seconds: Callable[[Settings], float]


RailKinds = Sequence[RailKind]


def configured(settings: Settings, kinds: RailKinds) -> RailKinds:
    """The rails of this installation, the default first.  Refuses `ConfigurationWrong`."""
    known = {kind.name: kind for kind in kinds}
    names = settings.of(PaymentSettings).payment_rails.split()
    for name in names:
        if name not in known:
            raise ConfigurationWrong("payment_rails", "settings", f"no rail {name!r}")
    if not names or len(set(names)) < len(names):
        raise ConfigurationWrong("payment_rails", "settings", "at least one rail, and none twice")
    return [known[name] for name in names]


def check_kinds(kinds: RailKinds) -> None:
    """Raises `ValueError` where two rails cannot be told apart in rows."""
    methods = [method for kind in kinds for method in kind.methods]
    for what in ([kind.name for kind in kinds], methods, [kind.door.path for kind in kinds]):
        if len(set(what)) < len(what):
            raise ValueError(f"two rails have the same of {what}")
    prefixes = sorted(kind.prefix for kind in kinds)
    # SNAP's have none, and begin with a digit or letter of the bank: nothing that ends in a colon.
    for prefix in prefixes:
        if prefix and not (prefix.endswith(":") and prefixes.count(prefix) == 1):
            raise ValueError(f"the prefix {prefix!r} is of two rails, or does not end in a colon")
    if prefixes.count("") > 1:
        raise ValueError("two rails have no prefix")


class BoundedRail:
    """A rail whose calls begin only where its provider answers these days (`plumbing/outgoing.py`).

    What is not begun is `CallNotBegun`.  The record of a provider is read by an operator's command and
    once a night, page by page: nobody waits for it in a line, and it is asked whatever was known before.
    """

    def __init__(self, rail: Rail, outgoing: Outgoing, *, is_repeat: bool) -> None:
        self.rail = rail
        self._outgoing = outgoing
        self._is_repeat = is_repeat

    @contextmanager
    def _call(self) -> Iterator[None]:
        try:
            with self._outgoing.call(is_repeat=self._is_repeat):
                yield
        except NotBegun as reason:
            raise CallNotBegun(str(reason), reason.seconds) from None

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> Opened | MadeBefore:
        """As of the rail."""
        with self._call():
            return await self.rail.open(method, reference, amount, expires_at)

    async def ask(self, about: About) -> TransactionStatus:
        """As of the rail."""
        with self._call():
            return await self.rail.ask(about)

    async def cancel(self, about: About, reason: str) -> bool:
        """As of the rail."""
        with self._call():
            return await self.rail.cancel(about, reason)

    async def refund(self, about: About, payment: str, number: str, amount: Rupiah) -> RefundMade:
        """As of the rail."""
        with self._call():
            return await self.rail.refund(about, payment, number, amount)

    async def refunded(self, about: About, number: str, amount: Rupiah) -> RefundMade | None:
        """As of the rail."""
        with self._call():
            return await self.rail.refunded(about, number, amount)

    async def refunds_of(self, about: About) -> tuple[RefundLine, ...]:
        """As of the rail."""
        with self._call():
            return await self.rail.refunds_of(about)

    def history(self, begins: datetime, ends: datetime) -> AsyncIterator[Movement | OddLine]:
        """As of the rail."""
        return self.rail.history(begins, ends)

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """As of the rail."""
        return self.rail.notification(path, headers, body)


class Rails:
    """The rails of an installation; those that a process speaks to are connected."""

    def __init__(
        self, settings: Settings, kinds: RailKinds, connected: Mapping[str, Rail] | None = None
    ) -> None:
        self.kinds = configured(settings, kinds)
        self._connected = connected or {}
        self._outgoing = {
            name: Outgoing(name, ProviderUnreachable, NoAnswer) for name in self._connected
        }
        self._by_method = {
            method: Channel(kind.name, method) for kind in self.kinds for method in kind.methods
        }
        self._complaints = {kind.name: kind.complaints(settings) for kind in self.kinds}
        self._ourselves = {kind.name: kind.ourselves(settings) for kind in self.kinds}
        self._windows = {kind.name: kind.window_seconds(settings) for kind in self.kinds}
        self.timeout_seconds = max(kind.timeout_seconds(settings) for kind in self.kinds)
        self.call_seconds_max = max(kind.call_seconds_max(settings) for kind in self.kinds)

    @property
    def default(self) -> Channel:
        """What an order is paid by that asks for nothing."""
        return self._by_method[self.kinds[0].methods[0]]

    def channel(self, method: str | None) -> Channel:
        """What an order is paid by that asks for a method.  Refuses `Malformed`."""
        if method is None:
            return self.default
        if method not in self._by_method:
            raise Malformed("payment_method", "known_name")
        return self._by_method[method]

    def names(self) -> Sequence[str]:
        """Every rail, the default first."""
        return [kind.name for kind in self.kinds]

    def of(self, name: str, *, is_repeat: bool = False) -> Rail:
        """One rail, for a call that is begun again or not.  Refuses `RailNotConfigured`."""
        found = self._connected.get(name)
        if found is None:
            raise RailNotConfigured(name)
        return BoundedRail(found, self._outgoing[name], is_repeat=is_repeat)

    def outgoing(self, name: str) -> Outgoing:
        """Whether the provider of a connected rail answers these days."""
        return self._outgoing[name]

    def room(self, most: int) -> tuple[int, list[str]]:
        """How many calls may be taken on now, `most` of them, and the rails to take none of.

        Where one of the others is only looked for, few are taken of all: the next round is soon.
        """
        rooms = {name: outgoing.room() for name, outgoing in self._outgoing.items()}
        away = [name for name, room in rooms.items() if not room]
        return min([most, *(room for room in rooms.values() if room)]), away

    def room_of_any(self, most: int) -> int:
        """The same for what is not told apart by its rail; 0 where no provider is asked."""
        fewer, away = self.room(most)
        return 0 if away and len(away) == len(self._outgoing) else fewer

    @property
    def window_seconds_max(self) -> float:
        """How long some provider answers about a payment, at most."""
        return max(self._windows.values())

    def window_seconds(self, name: str) -> float:
        """How long a provider answers about a payment; of one that is gone, the longest."""
        return self._windows.get(name, self.window_seconds_max)

    def ourselves(self, name: str) -> About:
        """Our identity in messages of a provider.  Refuses `RailNotConfigured`."""
        if name not in self._ourselves:
            raise RailNotConfigured(name)
        return self._ourselves[name]

    def complaints(
        self, name: str, instructions: Instructions, amount: int, number: str | None
    ) -> list[str]:
        """Why nobody should pay `amount` by these instructions, which have this number there."""
        complain = self._complaints.get(name)
        if complain is None:
            return [f"of a rail that is not configured: {name}"]
        return list(complain(instructions, amount, number or ""))

    def reread(self, name: str, body: bytes) -> Notification:
        """What a kept notification says.  Refuses `RailNotConfigured`."""
        for kind in self.kinds:
            if kind.name == name:
                return kind.reread(body)
        raise RailNotConfigured(name)


async def connect_rails(
    stack: AsyncExitStack, settings: Settings, keyring: Keyring, clock: Clock, kinds: RailKinds
) -> Rails:
    """The rails of an installation, connected until `stack` is closed.

    Refuses `ConfigurationWrong`, and what their needs refuse.
    """
    connected = {
        kind.name: await stack.enter_async_context(kind.connect(settings, keyring, clock))
        for kind in configured(settings, kinds)
    }
    return Rails(settings, kinds, connected)
