"""The rails of an installation, and the choice of a rail for a new payment attempt.

The setting `payment_rails` lists the names of the rails.  Each is the name of a `RailKind`, or of a file
`DIR/banks/<name>.toml` whose `kind` is the name of a `Family`.  A method may have several rails.  A new attempt goes to a rail
that is not out and whose circuit is closed, chosen at random by the weights in `payment_order`; a rail without a weight is
chosen only if no other can be used.
"""

import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from meterai.kit.money import Rupiah
from meterai.kit.refusal import Malformed
from meterai.payments.model import (
    AmountNotPayable,
    AttemptStatus,
    CallNotBegun,
    Delivered,
    Instructions,
    MadeBefore,
    MethodOut,
    Movement,
    NoAnswer,
    Notification,
    OpenedAttempt,
    PaymentChannel,
    PaymentIdentity,
    PaymentMethod,
    ProviderUnreachable,
    RailNotConfigured,
    RefundLine,
    RefundMade,
    UnmatchedLine,
)
from meterai.payments.rails import Connecting, InquiryDesk, Payouts, Rail, RailKind, RailKinds
from meterai.payments.settings import PaymentSettings, weights_of
from meterai.plumbing.config import ConfigurationWrong, Settings
from meterai.plumbing.files import read_settings_file
from meterai.plumbing.toml import read_toml
from meterai.plumbing.work.outgoing import NotBegun, Outgoing

BANKS = "banks"  # folder of the files that describe rails, in the data directory
_NAME = re.compile(r"[a-z][a-z0-9]{0,19}\Z")  # of a rail that a file describes


def configured(settings: Settings, kinds: RailKinds) -> RailKinds:
    """Return the `RailKind` of each rail of this installation, the default rail first. Refuses `ConfigurationWrong`."""
    known = {kind.name: kind for kind in kinds}
    names = settings.of(PaymentSettings).payment_rails.split()
    if not names or len(set(names)) < len(names):
        raise ConfigurationWrong(
            "payment_rails", "settings", "at least one rail is needed, and none may be repeated"
        )
    found = [known.get(name) or _member(settings, kinds, name) for name in names]
    found += [kind for kind in kinds if kind.is_own and kind.name not in names]
    try:
        check_kinds(found)
    except ValueError as error:
        raise ConfigurationWrong("payment_rails", "settings", str(error)) from None
    return found


def _member(settings: Settings, kinds: RailKinds, name: str) -> RailKind:
    """Return the `RailKind` of the rail that the file `DIR/banks/<name>.toml` describes.

    It is made by the `Family` whose name is in the file. Refuses `ConfigurationWrong`.
    """
    path = settings.process.directory / BANKS / f"{name}.toml"
    if not _NAME.match(name) or not path.is_file():
        raise ConfigurationWrong("payment_rails", "settings", f"no rail {name!r}")
    try:
        told = read_toml(read_settings_file(path))
    except (OSError, ValueError) as error:
        raise ConfigurationWrong(name, str(path), str(error)) from None
    wanted = told.pop("kind", None)
    for kind in kinds:
        if kind.family is not None and kind.family.name == wanted:
            return kind.family.member(name, told, str(path))
    raise ConfigurationWrong("kind", str(path), f"no kind of rail is called {wanted!r}")


def check_kinds(kinds: RailKinds) -> None:
    """Raise `ValueError` if two rails share a name, a path or a prefix of payment numbers."""
    paths = [endpoint.path for kind in kinds for endpoint in kind.endpoints]
    for what in ([kind.name for kind in kinds], paths):
        if len(set(what)) < len(what):
            raise ValueError(f"two rails have the same value of {what}")
    prefixes = sorted(kind.prefix for kind in kinds)
    # The first SNAP rail has no prefix: its numbers are those of the bank.
    for prefix in prefixes:
        if prefix and not (prefix.endswith(":") and prefixes.count(prefix) == 1):
            raise ValueError(
                f"the prefix {prefix!r} belongs to two rails, or does not end in a colon"
            )
    if prefixes.count("") > 1:
        raise ValueError("two rails have an empty prefix")


@contextmanager
def _begun(outgoing: Outgoing, *, is_repeat: bool = False) -> Iterator[None]:
    """Context of one call to a provider.  Refuses `CallNotBegun` if the circuit or the retry budget does not allow the call."""
    try:
        with outgoing.call(is_repeat=is_repeat):
            yield
    except NotBegun as reason:
        raise CallNotBegun(str(reason), reason.seconds) from None


class BoundedRail:
    """A rail whose calls are limited by the circuit and the retry budget of its provider (`plumbing/work/outgoing.py`).

    Refuses `CallNotBegun` for a call over the limit.  `history` is not limited: an operator's command or the nightly comparison
    reads the history page by page, and no buyer waits for it.
    """

    def __init__(self, rail: Rail, outgoing: Outgoing, *, is_repeat: bool) -> None:
        self.rail = rail
        self._call = partial(_begun, outgoing, is_repeat=is_repeat)

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """Call `Rail.open` if the circuit and the retry budget allow a call; otherwise refuse `CallNotBegun`."""
        with self._call():
            return await self.rail.open(method, reference, amount, expires_at)

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Call `Rail.ask` if the circuit and the retry budget allow a call; otherwise refuse `CallNotBegun`."""
        with self._call():
            return await self.rail.ask(about)

    async def cancel(self, about: PaymentIdentity, reason: str) -> bool:
        """Call `Rail.cancel` if the circuit and the retry budget allow a call; otherwise refuse `CallNotBegun`."""
        with self._call():
            return await self.rail.cancel(about, reason)

    async def refund(
        self, about: PaymentIdentity, payment: str, number: str, amount: Rupiah
    ) -> RefundMade:
        """Call `Rail.refund` if the circuit and the retry budget allow a call; otherwise refuse `CallNotBegun`."""
        with self._call():
            return await self.rail.refund(about, payment, number, amount)

    async def refunded(
        self, about: PaymentIdentity, number: str, amount: Rupiah
    ) -> RefundMade | None:
        """Call `Rail.refunded` if the circuit and the retry budget allow a call; otherwise refuse `CallNotBegun`."""
        with self._call():
            return await self.rail.refunded(about, number, amount)

    async def refunds_of(self, about: PaymentIdentity) -> tuple[RefundLine, ...]:
        """Call `Rail.refunds_of` if the circuit and the retry budget allow a call; otherwise refuse `CallNotBegun`."""
        with self._call():
            return await self.rail.refunds_of(about)

    def history(self, begins: datetime, ends: datetime) -> AsyncIterator[Movement | UnmatchedLine]:
        """Call `Rail.history`, whose calls to the provider are not limited."""
        return self.rail.history(begins, ends)

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Call `Rail.notification`, which parses a notification and makes no call to the provider."""
        return self.rail.notification(path, headers, body)


class BoundedPayouts:
    """Transfers by a rail, limited by the same circuit and retry budget as `BoundedRail`: both call the same provider."""

    def __init__(self, payouts: Payouts, outgoing: Outgoing) -> None:
        self._payouts = payouts
        self._call = partial(_begun, outgoing)
        self.bank = payouts.bank
        self.rupiah_max = payouts.rupiah_max
        self.rupiah_day_max = payouts.rupiah_day_max

    async def account_name(self, bank: str, account: str, reference: str) -> str:
        """Call `Payouts.account_name` if the circuit and the retry budget allow a call; otherwise refuse `CallNotBegun`."""
        with self._call():
            return await self._payouts.account_name(bank, account, reference)

    async def transfer(
        self, number: str, bank: str, account: str, name: str, amount: Rupiah, remark: str
    ) -> RefundMade:
        """Call `Payouts.transfer` if the circuit and the retry budget allow a call; otherwise refuse `CallNotBegun`."""
        with self._call():
            return await self._payouts.transfer(number, bank, account, name, amount, remark)

    async def transferred(self, number: str) -> RefundMade | None:
        """Call `Payouts.transferred` if the circuit and the retry budget allow a call; otherwise refuse `CallNotBegun`."""
        with self._call():
            return await self._payouts.transferred(number)

    async def balance(self) -> Rupiah:
        """Call `Payouts.balance` if the circuit and the retry budget allow a call; otherwise refuse `CallNotBegun`."""
        with self._call():
            return await self._payouts.balance()


@dataclass(frozen=True, slots=True)
class Route:
    """A rail that offers a payment method.

    `weight` is the rail's share of the method's new attempts; a rail with weight 0 gets an attempt only if no other rail can
    take it.
    """

    rail: str
    method: PaymentMethod
    weight: int


def routes_of(settings: Settings, kinds: RailKinds) -> dict[str, list[Route]]:
    """Return the rails that offer each payment method, by name of the method, in the configured order. Refuses
    `ConfigurationWrong`.
    """
    given = weights_of(settings.of(PaymentSettings).payment_order)
    found: dict[str, dict[str, PaymentMethod]] = {}
    for kind in (one for one in kinds if not one.is_own):
        for method in kind.methods_of(settings):
            found.setdefault(method.name, {})[kind.name] = method
    for name, weights in given.items():
        if unknown := set(weights) - set(found.get(name, {})):
            reason = f"no rail {sorted(unknown)[0]!r} of the method {name!r}"
            raise ConfigurationWrong("payment_order", "settings", reason)
    routes = {}
    for name, named in found.items():
        weights = given.get(name) or dict.fromkeys(named, 0)
        if not any(weights.values()):
            weights = weights | {next(iter(weights)): 1}
        routes[name] = [Route(rail, named[rail], weight) for rail, weight in weights.items()]
    if not routes:
        raise ConfigurationWrong(
            "payment_rails", "settings", "no configured rail has a payment method"
        )
    return routes


class Rails:
    """The rails of an installation.  In a process that calls providers, `connected` has a connected rail for each name."""

    def __init__(
        self, settings: Settings, kinds: RailKinds, connected: Mapping[str, Rail] | None = None
    ) -> None:
        self.kinds = configured(settings, kinds)
        self._by_name = {kind.name: kind for kind in self.kinds}
        self._connected = connected or {}
        self._outgoing = {
            name: Outgoing(name, ProviderUnreachable, NoAnswer) for name in self._connected
        }
        self._routes = routes_of(settings, self.kinds)
        self._named = {  # rails of our own database that are not offered to buyers; an order names them
            method.name: Route(kind.name, method, 1)
            for kind in self.kinds
            if kind.admits is not None
            for method in kind.methods_of(settings)
        }
        self._out: Collection[str] = ()  # names of rails that an operator took out
        self._complaints = {kind.name: kind.complaints(settings) for kind in self.kinds}
        self._ourselves = {kind.name: kind.ourselves(settings) for kind in self.kinds}
        self._windows = {kind.name: kind.window_seconds(settings) for kind in self.kinds}
        # True if a rail of this process sends money to accounts.
        self.has_payouts = bool(self.payouts())
        self.timeout_seconds = max(kind.timeout_seconds(settings) for kind in self.kinds)
        self.call_seconds_max = max(kind.call_seconds_max(settings) for kind in self.kinds)

    # -- choice of a rail ------------------------------------------------------------------

    @property
    def default(self) -> str:
        """The name of the method for an order that names no method."""
        return next(iter(self._routes))

    def methods(self, amount: int) -> Sequence[PaymentMethod]:
        """Return the methods by which `amount` rupiah can be paid now, the default first.

        A method that several rails offer has the limits of the rail with the highest limit.
        """
        found = []
        for routes in self._routes.values():
            there = [one.method for one in routes if one.rail not in self._out]
            if fitting := [one for one in there if one.takes(amount)]:
                found.append(max(fitting, key=lambda one: one.amount_max))
        return found

    def channel(
        self,
        method: str | None,
        amount: int,
        attempt: UUID,
        *,
        is_at_face: bool = False,
        without: Collection[str] = (),
    ) -> tuple[PaymentChannel, PaymentMethod]:
        """Choose the rail and method of a new attempt.

        method      name of the method; None for the default
        is_at_face  True if the sum contains duty alone, without our fee; methods at face value accept only such sums, and no
                    other method accepts them
        without     names of rails to choose only if there is no other

        Refuses `Malformed`, `AmountNotPayable`, `MethodOut`.
        """
        name = self.default if method is None else method
        if self.is_at_face(name) != is_at_face:
            raise Malformed("payment_method", "known_name")
        if name in self._named:
            return PaymentChannel(self._named[name].rail, name), self._named[name].method
        if name not in self._routes:
            raise Malformed("payment_method", "known_name")
        routes = [one for one in self._routes[name] if one.method.takes(amount)]
        if not routes:
            most = max(one.method.amount_max for one in self._routes[name])
            raise AmountNotPayable(name, amount, most)
        there = [one for one in routes if one.rail not in self._out]
        if not there:
            raise MethodOut(name)
        others = [one for one in there if one.rail not in without] or there
        chosen = _drawn([one for one in others if self._answers(one.rail)] or others, attempt)
        return PaymentChannel(chosen.rail, name), chosen.method

    def is_at_face(self, method: str | None) -> bool:
        """True if a stamp paid by this method costs its duty alone, without our fee."""
        found = self._named.get(method or "")
        return found is not None and found.method.is_at_face

    async def admit(self, channel: PaymentChannel, account: UUID, amount: int) -> None:
        """If the rail's provider is our own database, check that the rail can pay an order of `amount` rupiah of this
        account.

        Refuses as that rail does. Does nothing for a rail of a bank or switch.
        """
        if channel.method in self._named:
            admits = self._by_name[channel.provider].admits
            assert admits is not None, "it is named"
            await admits(self._there(channel.provider), account, Rupiah(amount))

    def elsewhere(
        self, channel: PaymentChannel, amount: int, attempt: UUID
    ) -> PaymentChannel | None:
        """Another rail of the same method that is not out and whose provider answers; None if there is no such rail."""
        routes = [
            one
            for one in self._routes.get(channel.method, ())
            if one.rail != channel.provider and one.method.takes(amount)
            if one.rail not in self._out and self._answers(one.rail)
        ]
        return PaymentChannel(_drawn(routes, attempt).rail, channel.method) if routes else None

    def has_another(self, name: str) -> bool:
        """True if each method of the rail `name` has another rail that is not out and whose provider answers."""
        routes = [one for one in self._routes.values() if name in [route.rail for route in one]]
        return bool(routes) and all(
            any(self.is_good(route.rail) for route in one if route.rail != name) for one in routes
        )

    def is_good(self, name: str) -> bool:
        """True if the rail `name` belongs to this installation, is not out, and its provider answers."""
        return name in self._by_name and name not in self._out and self._answers(name)

    def _answers(self, name: str) -> bool:
        outgoing = self._outgoing.get(name)
        return outgoing is None or not outgoing.is_silent

    def is_out(self, name: str) -> bool:
        """True if an operator took the rail out, so that it gets no new attempt."""
        return name in self._out

    def take_out(self, names: Collection[str]) -> None:
        """Set the names of all rails that operators took out; every other rail may get new attempts."""
        self._out = frozenset(names)

    def names(self) -> Sequence[str]:
        """The names of all rails, the default first."""
        return list(self._by_name)

    def kind(self, name: str) -> RailKind:
        """Return the `RailKind` of the rail of this name. Refuses `RailNotConfigured`."""
        if name not in self._by_name:
            raise RailNotConfigured(name)
        return self._by_name[name]

    # -- calls to a rail -------------------------------------------------------------------

    def of(self, name: str, *, is_repeat: bool = False) -> Rail:
        """The connected rail of this name, for one or more calls.  With `is_repeat` each call counts as a repeat, which uses up
        the retry budget.

        Refuses `RailNotConfigured`.
        """
        return BoundedRail(self._there(name), self._outgoing[name], is_repeat=is_repeat)

    def desk(self, name: str) -> InquiryDesk:
        """The inquiry responder of the rail of this name.  Refuses `RailNotConfigured`."""
        found = self.kind(name).desk(self._there(name))
        if found is None:
            raise RailNotConfigured(name)
        return found

    def payouts(self) -> Mapping[str, Payouts]:
        """The `Payouts` (calls for transfers) of each rail that can send money to bank accounts, by name of the rail, in the
        configured order.
        """
        found = {name: self._by_name[name].payouts(rail) for name, rail in self._connected.items()}
        return {
            name: BoundedPayouts(one, self._outgoing[name])
            for name, one in found.items()
            if one is not None
        }

    def payouts_for(self, bank: str) -> tuple[str, Payouts]:
        """Return name and `Payouts` of the rail to use for a transfer to an account at the bank with this three-digit code.

        Rails whose provider answers are preferred; among these, the rail of that bank itself, else the first in the
        configured order.

        Refuses `RailNotConfigured`.
        """
        found = self.payouts()
        if not found:
            raise RailNotConfigured("payouts")
        name = min(found, key=lambda name: (not self._answers(name), found[name].bank != bank))
        return name, found[name]

    def payouts_of(self, name: str) -> Payouts:
        """The `Payouts` (calls for transfers) of the rail of this name.  Refuses `RailNotConfigured`."""
        found = self.payouts().get(name)
        if found is None:
            raise RailNotConfigured(name)
        return found

    def is_own(self, name: str) -> bool:
        """True if the provider of the rail is our own database."""
        return name in self._by_name and self._by_name[name].is_own

    def gives_back(self, name: str, method: str) -> bool:
        """True if the rail can refund payments that were made by this method."""
        kind = self._by_name.get(name)
        return kind is not None and (kind.gives_back is None or method in kind.gives_back)

    def _there(self, name: str) -> Rail:
        found = self._connected.get(name)
        if found is None:
            raise RailNotConfigured(name)
        return found

    def outgoing(self, name: str) -> Outgoing:
        """The circuit and the retry budget of the provider of a connected rail."""
        return self._outgoing[name]

    def room(self, most: int) -> tuple[int, list[str]]:
        """Return how many rows may be leased now for calls to providers, at most `most`, and the names of the rails whose
        provider must not be called now.

        While the circuit of a rail is half-open, the number is small for all rails; the next run of the periodic task follows
        soon.
        """
        rooms = {name: outgoing.room() for name, outgoing in self._outgoing.items()}
        away = [name for name, room in rooms.items() if not room]
        return min([most, *(room for room in rooms.values() if room)]), away

    def room_of_any(self, most: int) -> int:
        """Return how many rows may be leased now for calls to any of the providers, at most `most`; 0 if no provider may be
        called.
        """
        fewer, away = self.room(most)
        return 0 if away and len(away) == len(self._outgoing) else fewer

    def lapses_seconds_max(self, default: float) -> float:
        """The longest time to pay of all methods, in seconds; a method without its own time counts with `default`."""
        methods = (one.method for routes in self._routes.values() for one in routes)
        return max(one.lapses_seconds or default for one in methods)

    @property
    def window_seconds_max(self) -> float:
        """The longest time, over all providers, in which a provider answers queries about a payment, in seconds."""
        return max(self._windows[kind.name] for kind in self.kinds if not kind.is_own)

    def window_seconds(self, name: str) -> float:
        """The time in which a provider answers queries about a payment, in seconds; for a rail that the installation no longer
        has, the longest such time of all its rails.
        """
        return self._windows.get(name, self.window_seconds_max)

    def ourselves(self, name: str) -> PaymentIdentity:
        """Our identity in messages of the provider of this rail.  Refuses `RailNotConfigured`."""
        if name not in self._ourselves:
            raise RailNotConfigured(name)
        return self._ourselves[name]

    def complaints(
        self, name: str, instructions: Instructions, amount: int, number: str | None
    ) -> list[str]:
        """Return the faults because of which a buyer must not pay `amount` rupiah by these instructions; empty if they are
        right.

        `name` is the rail, `number` the provider's number of the instructions.
        """
        complain = self._complaints.get(name)
        if complain is None:
            return [f"of a rail that is not configured: {name}"]
        return list(complain(instructions, amount, number or ""))

    def reread(self, name: str, body: bytes) -> Notification:
        """Parse the stored body of a notification again.  Refuses `RailNotConfigured`."""
        return self.kind(name).reread(body)


def _drawn(routes: Sequence[Route], attempt: UUID) -> Route:
    """Choose a route by weight, with the id of the attempt as the random number: the same attempt gets the same route."""
    weighted = [one for one in routes if one.weight]
    drawn = attempt.int % (sum(one.weight for one in weighted) or 1)
    for one in weighted:
        drawn -= one.weight
        if drawn < 0:
            return one
    return routes[0]


async def connect_rails(stack: AsyncExitStack, to: Connecting, kinds: RailKinds) -> Rails:
    """Connect the rails of an installation until `stack` is closed.

    Refuses `ConfigurationWrong`, and refuses like `RailKind.needs` if something that a rail needs is missing.
    """
    connected = {
        kind.name: await stack.enter_async_context(kind.connect(to))
        for kind in configured(to.settings, kinds)
    }
    return Rails(to.settings, kinds, connected)
