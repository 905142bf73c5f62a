"""Rails: how money comes and goes, each by a protocol of its own.

A rail is a package of `adapters`.  What it may speak is its own: its codes, headers, paths, and what
is in a QR.  What it answers is of `model`.  It knows no database and no order, and keeps nothing
between calls but connections.

A `RailKind` is a rail as the code knows it, before a process has keys or connections; an installation
has those that `payment_rails` names (`installed`).  Names of rails and methods are in rows, so they
never change.
"""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec

from meterai.commands import Demand, KeyFile
from meterai.kit.clock import Clock
from meterai.kit.money import Rupiah
from meterai.payments.model import (
    AttemptStatus,
    BankInquiry,
    Delivered,
    HttpAnswer,
    InquiryVerdict,
    Instructions,
    MadeBefore,
    Movement,
    Notification,
    OpenedAttempt,
    PaymentAttempt,
    PaymentIdentity,
    PaymentMethod,
    ProviderCallKind,
    RefundLine,
    RefundMade,
    UnmatchedLine,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.keyring import Keyring


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
    ) -> OpenedAttempt | MadeBefore:
        """Have instructions made by which `amount` is paid, at least until `expires_at`.

        Instructions that pay another, or another amount, are `OutcomeUnknown`: they exist, and
        nobody may see them.
        """
        ...

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """What became of an attempt; one that the provider does not know has status `UNKNOWN`."""
        ...

    async def cancel(self, about: PaymentIdentity, reason: str) -> bool:
        """Take back what was not paid; false where it was paid meanwhile, or has ended."""
        ...

    async def refund(
        self, about: PaymentIdentity, payment: str, number: str, amount: Rupiah
    ) -> RefundMade:
        """Give so much of a payment back under our `number`; a repeat gives nothing twice.

        `UnderWay` where the provider makes it later, `RefusedForEver` where it can never be.
        """
        ...

    async def refunded(
        self, about: PaymentIdentity, number: str, amount: Rupiah
    ) -> RefundMade | None:
        """What became of a refund; None where the provider has not made it."""
        ...

    async def refunds_of(self, about: PaymentIdentity) -> tuple[RefundLine, ...]:
        """Every refund of an attempt in the provider's own record, asked for by us or not."""
        ...

    def history(self, begins: datetime, ends: datetime) -> AsyncIterator[Movement | UnmatchedLine]:
        """The provider's own record from `begins` on and before `ends`, in the order it moved.

        A line that cannot be read is an `UnmatchedLine`, and hides no other.
        """
        ...

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Check the signature of a notification and read it, whatever it says.

        Names of headers are lower case.  Refuses `NotificationForged`.
        """
        ...


class Payouts(Protocol):
    """Money to an account that a buyer names, from the float account of the operator at this bank.

    Every call refuses what those of a `Rail` refuse, with `RefusedForEver` where an account takes nothing.
    """

    bank: str  # the three-digit code of its own
    rupiah_max: int  # of one transfer
    rupiah_day_max: int  # of all of a day in WIB

    async def account_name(self, bank: str, account: str, reference: str) -> str:
        """The name of the holder of an account; `bank` is its three-digit code."""
        ...

    async def transfer(
        self, number: str, bank: str, account: str, name: str, amount: Rupiah, remark: str
    ) -> RefundMade:
        """Send money under our `number`, the same in every try; a repeat sends nothing twice.

        After `OutcomeUnknown` `transferred` is asked before it is repeated.
        """
        ...

    async def transferred(self, number: str) -> RefundMade | None:
        """A transfer as it was made; None where it was not.

        `UnderWay` while it is, `Returned` where it failed or its money came back.
        """
        ...

    async def balance(self) -> Rupiah:
        """The rupiah in the float account."""
        ...


class InquiryDesk(Protocol):
    """Answers a bank that asks us what an account number is for, and tells us that it was paid.

    Each call checks its signature and refuses `NotificationForged`.
    """

    def token(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """An access token for calls to us; it needs no memory, so any process takes it."""
        ...

    def asked(
        self, kind: ProviderCallKind, path: str, headers: Mapping[str, str], body: bytes
    ) -> BankInquiry:
        """The attempt that an inquiry or a payment is about, and what it says was paid."""
        ...

    def answer(
        self, asked: BankInquiry, verdict: InquiryVerdict, attempt: PaymentAttempt | None
    ) -> HttpAnswer:
        """The answer to it, as the bank reads answers."""
        ...


class Connecting(NamedTuple):
    """What a rail may need to be connected."""

    settings: Settings
    keyring: Keyring
    clock: Clock
    database: Database


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEndpoint:
    """A route of ours that a provider calls: each rail has its own.

    kind     the call
    path     of a `Family` it has {rail:str} where the name of the rail comes
    headers  those that it reads, in lower case: each comes once
    answer   the body of an answer with this HTTP status, and why where there is a reason: 200 kept,
             401 forged, 409 its id came before with another body, else what HTTP says
    busy     status and body where the process has no room: nothing was read or kept, and it is to be
             sent again; not a word of it depends on what was sent
    """

    kind: ProviderCallKind = ProviderCallKind.NOTIFICATION
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
    methods     all that an order may be paid by here
    offered     those of an installation, with its limits; None: all
    prefix      of the numbers of its payments; no other rail's
    endpoints   where its provider calls us
    settings    the Struct of its settings
    demands     what production demands of them, where the installation has this rail
    undemanded  settings of which nothing is demanded, and why any value of them can be served with
    keys        the files of keys that production needs, each made of those before it
    needs       refuses where something is missing that `connect` needs
    connect     opens it: nothing is sent yet
    complaints  what is wrong with instructions, from the settings alone
    ourselves   who we are in what its provider tells: news of another is not ours
    reread      what a kept notification says, as `Rail.notification` read it
    payouts     how a connected rail sends money to accounts, where it can
    desk        how it answers a bank that asks us; needed by its endpoints
    family      more rails of this kind, which an installation has by a file of each
    demands_requery   its news is only a reason to ask: nothing follows before an answer says so
    is_history_there  its provider has a record that can be asked for; else its files are compared
    gives_back  the methods by which what is paid goes back by a refund of the rail, within `window_seconds`; None: all
    is_own      its provider is our own database: every installation has it, no buyer chooses it, it is never out, and what
                is paid by it goes back by it alone, however late
    admits      of an own rail by whose method an account may order that names it: refuses one that may not, or not so much;
                None: nobody orders by it
    timeout_seconds   of one call on the wire
    call_seconds_max  of one call of a `Rail`, with all it takes
    window_seconds    how long its provider answers about a payment
    """

    name: str
    methods: tuple[PaymentMethod, ...]
    prefix: str
    endpoints: tuple[ProviderEndpoint, ...]
    settings: type[msgspec.Struct]
    demands: Sequence[Demand] = ()
    undemanded: Mapping[str, str] = field(default_factory=dict)
    keys: Callable[[Settings], Iterable[KeyFile]] = lambda _settings: ()
    needs: Callable[[Settings, Keyring], None]
    connect: Callable[[Connecting], AbstractAsyncContextManager[Rail]]
    complaints: Callable[[Settings], Complaints]
    ourselves: Callable[[Settings], PaymentIdentity]
    reread: Callable[[bytes], Notification]
    timeout_seconds: Callable[[Settings], float]
    call_seconds_max: Callable[[Settings], float]
    window_seconds: Callable[[Settings], float]
    offered: Callable[[Settings], Sequence[PaymentMethod]] | None = None
    payouts: Callable[[Rail], Payouts | None] = lambda _rail: None
    desk: Callable[[Rail], InquiryDesk | None] = lambda _rail: None
    family: "Family | None" = None
    demands_requery: bool = False
    is_history_there: bool = True
    gives_back: frozenset[str] | None = None
    is_own: bool = False
    admits: Callable[[Rail, UUID, Rupiah], Awaitable[None]] | None = None

    def methods_of(self, settings: Settings) -> Sequence[PaymentMethod]:
        """The methods that an installation offers by this rail."""
        return self.methods if self.offered is None else self.offered(settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Rails of one kind of which an installation may have several, each by a file `DIR/banks/<name>.toml`.

    name       `kind` in the file
    endpoints  of each of them
    member     the rail of this name and file.  Refuses `ConfigurationWrong`
    """

    name: str
    endpoints: tuple[ProviderEndpoint, ...]
    member: Callable[[str, Mapping[str, object], str], RailKind]


RailKinds = Sequence[RailKind]
