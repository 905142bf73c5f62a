"""Interface of rails, each of which moves money by a protocol of its own.

A rail is a package of `adapters`.  Codes, headers, paths and the content of a QR are known to the rail
alone; its answers are types of `model`.  It knows no database and no order, and keeps nothing between
calls but connections.

A `RailKind` describes a rail before a process has keys or connections; an installation has those that
`payment_rails` names (`installed`).  Names of rails and methods are in rows, so they never change.
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
    """Client of one provider.  Every call may be repeated under the same reference or number.

    Every call refuses `OutcomeUnknown` if the provider may have acted (`NoAnswer` if no response came
    back), `ProviderUnreachable` if nothing was sent, `ProviderRefused` if the provider refused, and
    raises nothing else.  An answer is compared with the query (`differences`): one about another
    subject is `AboutAnother`, an `OutcomeUnknown`.

    The number of a payment is unique among all rails: it begins with the `prefix` of the rail, which
    the rail removes in calls to its provider.
    """

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """Have instructions made to pay `amount`, at least until `expires_at`.

        Instructions that pay another merchant or amount are `OutcomeUnknown`: they exist, and are
        never shown.
        """
        ...

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Query the status of an attempt; `UNKNOWN` if the provider does not know it."""
        ...

    async def cancel(self, about: PaymentIdentity, reason: str) -> bool:
        """Cancel unpaid instructions; False if they were paid meanwhile or have ended."""
        ...

    async def refund(
        self, about: PaymentIdentity, payment: str, number: str, amount: Rupiah
    ) -> RefundMade:
        """Refund `amount` of a payment under our `number`; a repeat refunds nothing twice.

        Refuses `TransferUnderWay` if the provider makes it later, `RefusedForEver` if it never can.
        """
        ...

    async def refunded(
        self, about: PaymentIdentity, number: str, amount: Rupiah
    ) -> RefundMade | None:
        """Query a refund; None if the provider has not made it."""
        ...

    async def refunds_of(self, about: PaymentIdentity) -> tuple[RefundLine, ...]:
        """Every refund of an attempt in the provider's record, ours and the provider's own."""
        ...

    def history(self, begins: datetime, ends: datetime) -> AsyncIterator[Movement | UnmatchedLine]:
        """The provider's record from `begins` to before `ends`, in order of movement.

        A line that cannot be read is an `UnmatchedLine`; the others are read all the same.
        """
        ...

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Check the signature of a notification and read it.

        Names of headers are lower case.  Refuses `NotificationForged`.
        """
        ...


class Payouts(Protocol):
    """Transfers to accounts that buyers name, from the float account of the operator at this bank.

    Every call refuses as those of a `Rail`, with `RefusedForEver` for an account that takes no money.
    """

    bank: str  # its three-digit code
    rupiah_max: int  # of one transfer
    rupiah_day_max: int  # of all transfers of a day in WIB

    async def account_name(self, bank: str, account: str, reference: str) -> str:
        """The name of the holder of an account; `bank` is a three-digit code."""
        ...

    async def transfer(
        self, number: str, bank: str, account: str, name: str, amount: Rupiah, remark: str
    ) -> RefundMade:
        """Send money under our `number`, the same in every try; a repeat sends nothing twice.

        After `OutcomeUnknown`, call `transferred` before a repeat.
        """
        ...

    async def transferred(self, number: str) -> RefundMade | None:
        """Query a transfer; None if it was not made.

        Refuses `TransferUnderWay` while it is under way, `TransferReturned` if it failed or its money came back.
        """
        ...

    async def balance(self) -> Rupiah:
        """The rupiah in the float account."""
        ...


class InquiryDesk(Protocol):
    """Answers inquiries and payments of a bank about virtual accounts.

    Each call checks its signature and refuses `NotificationForged`.
    """

    def token(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """An access token for calls to us; it is stateless, so that any process accepts it."""
        ...

    def asked(
        self, kind: ProviderCallKind, path: str, headers: Mapping[str, str], body: bytes
    ) -> BankInquiry:
        """Read an inquiry or a payment."""
        ...

    def answer(
        self, asked: BankInquiry, verdict: InquiryVerdict, attempt: PaymentAttempt | None
    ) -> HttpAnswer:
        """The answer with our verdict, in the format of the bank."""
        ...


class Connecting(NamedTuple):
    """Arguments of `RailKind.connect`."""

    settings: Settings
    keyring: Keyring
    clock: Clock
    database: Database


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEndpoint:
    """A webhook endpoint: a route that the provider of a rail calls.

    kind     of the call
    path     of a `Family`, with {rail:str} for the name of the rail
    headers  that are read, in lower case; each comes once
    answer   the body of an answer with this HTTP status and reason: 200 kept, 401 forged, 409 its id
             came before with another body, else the meaning in HTTP
    busy     status and body of a process without capacity: nothing was read or kept, and the call is to
             be sent again; they do not depend on the call
    """

    kind: ProviderCallKind = ProviderCallKind.NOTIFICATION
    path: str
    summary: str
    headers: tuple[str, ...]
    answer: Callable[[int, str], Mapping[str, object]]
    busy: tuple[int, Mapping[str, object]]


# Reasons not to pay by these instructions: facts that are not ours or not the attempt's.  Arguments: the
# instructions, the amount in rupiah, the provider's number of them.
Complaints = Callable[[Instructions, int, str], Iterator[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RailKind:
    """Description of a rail in the code.

    name        the `provider` of its rows
    methods     all methods of the rail
    offered     those of an installation, with its limits; None: all
    prefix      of the numbers of its payments, unique among rails
    endpoints   where its provider calls us
    settings    the Struct of its settings
    demands     demands of production on them, if the installation has this rail
    undemanded  settings without a demand, and why any value is fit for production
    keys        the files of keys that production needs, each made of those before it
    needs       refuses if anything that `connect` needs is missing
    connect     opens it; nothing is sent yet
    complaints  faults of instructions, from the settings alone
    ourselves   our identity in messages of its provider: news of another merchant is not ours
    reread      reads a kept notification as `Rail.notification` did
    payouts     the transfers of a connected rail, if it makes any
    desk        the inquiry desk of a connected rail, if its endpoints need one
    family      further rails of this kind, each described by a file of an installation
    demands_requery   its news only causes a status query, whose answer decides
    is_history_there  its provider has a record that can be queried; else its files are compared
    gives_back  methods whose payments go back by a refund of the rail, within `window_seconds`; None: all
    is_own      its provider is our own database: every installation has it, no buyer chooses it, it is never out, and its
                payments go back by it alone, at any time
    admits      of an own rail that an order may name: refuses an account that may not order so much by it; None: no order
                names it
    timeout_seconds   of one HTTP request
    call_seconds_max  of one call of a `Rail`, with all its requests
    window_seconds    time in which its provider answers about a payment
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
        """The methods that an installation offers on this rail."""
        return self.methods if self.offered is None else self.offered(settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Rails of one kind, each described by a file `DIR/banks/<name>.toml`.

    name       `kind` in the file
    endpoints  of each of them
    member     makes the rail of a name and file.  Refuses `ConfigurationWrong`
    """

    name: str
    endpoints: tuple[ProviderEndpoint, ...]
    member: Callable[[str, Mapping[str, object], str], RailKind]


RailKinds = Sequence[RailKind]
