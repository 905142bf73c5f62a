"""Interface of rails.  A rail moves money at one provider by the provider's protocol.

A rail is implemented by a package of `adapters`.  Only the rail deals with codes, headers, paths and the content of a QR; it
returns types of `model`.  A rail uses no database and no orders, and keeps nothing from one call to the next except its
connections.

A `RailKind` describes a rail before a process has keys or connections.  An installation has the rails that the setting
`payment_rails` names (`installed`).  Rows contain the names of rails and methods, so these names never change.
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
    """Client of one provider.  Every call may be repeated with the same reference or number.

    Every call refuses `OutcomeUnknown` if the provider may have acted (`NoAnswer` if no response came), `ProviderUnreachable`
    if nothing was sent, `ProviderRefused` if the provider refused, and raises nothing else.  An answer is compared with the
    query (`differences`): an answer about another subject is `AboutAnother`, which is an `OutcomeUnknown`.

    The number of a payment is unique among all rails, since it begins with the `prefix` of the rail.  The rail removes the
    prefix in calls to its provider.
    """

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """Have the provider make instructions to pay `amount`, which can be used at least until `expires_at`.

        Refuses `OutcomeUnknown` for an answer with instructions for another merchant or amount: these exist at the provider,
        but must never be shown to a buyer.
        """
        ...

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Query the status of an attempt; `ProviderStatus.UNKNOWN` if the provider does not have the attempt."""
        ...

    async def cancel(self, about: PaymentIdentity, reason: str) -> bool:
        """Cancel unpaid instructions; False if they were paid meanwhile or have ended.  `reason` is for the provider."""
        ...

    async def refund(
        self, about: PaymentIdentity, payment: str, number: str, amount: Rupiah
    ) -> RefundMade:
        """Refund `amount` of a payment under our `number`; a repeated call does not refund twice.

        Refuses `TransferUnderWay` if the provider will make the refund later, `RefusedForEver` if it never can.
        """
        ...

    async def refunded(
        self, about: PaymentIdentity, number: str, amount: Rupiah
    ) -> RefundMade | None:
        """Query the refund with our `number`; None if the provider has not made it."""
        ...

    async def refunds_of(self, about: PaymentIdentity) -> tuple[RefundLine, ...]:
        """Every refund of an attempt in the provider's record: our refunds and those that the provider made without us."""
        ...

    def history(self, begins: datetime, ends: datetime) -> AsyncIterator[Movement | UnmatchedLine]:
        """The movements in the provider's record from `begins` to before `ends`, in order of time.

        A line that cannot be read is yielded as an `UnmatchedLine`; all other lines are still read.
        """
        ...

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Check the signature of a notification and parse it.

        `path` is the path of the request; names of headers are in lower case.  Refuses `NotificationForged`.
        """
        ...


class Payouts(Protocol):
    """Transfers to accounts that buyers name, from the operator's float account at one bank.

    Every call refuses as the calls of a `Rail` do, and `RefusedForEver` for an account that takes no money.
    """

    bank: str  # its three-digit code
    rupiah_max: int  # of one transfer
    rupiah_day_max: int  # of all transfers of a day in WIB

    async def account_name(self, bank: str, account: str, reference: str) -> str:
        """The name of the holder of an account; `bank` is a three-digit code, `reference` is our text that identifies this
        call.
        """
        ...

    async def transfer(
        self, number: str, bank: str, account: str, name: str, amount: Rupiah, remark: str
    ) -> RefundMade:
        """Send money under our `number`, the same in every try; a repeated call does not send twice.

        `name` is the confirmed holder, `remark` is for the statement of the buyer.  After `OutcomeUnknown`, call
        `transferred` before a repeat.
        """
        ...

    async def transferred(self, number: str) -> RefundMade | None:
        """Query the transfer with our `number`; None if the bank has not made it.

        Refuses `TransferUnderWay` while the transfer is under way, `TransferReturned` if it failed or its money came back.
        """
        ...

    async def balance(self) -> Rupiah:
        """The balance of the float account."""
        ...


class InquiryDesk(Protocol):
    """Inquiry responder of a rail: answers calls of a bank about virtual accounts.

    `token` and `asked` check the signature of a call and refuse `NotificationForged`.
    """

    def token(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """The answer with an access token for later calls of the bank.  A token is stateless: every process accepts it."""
        ...

    def asked(
        self, kind: ProviderCallKind, path: str, headers: Mapping[str, str], body: bytes
    ) -> BankInquiry:
        """Parse an inquiry about a virtual account, or a payment to it."""
        ...

    def answer(
        self, asked: BankInquiry, verdict: InquiryVerdict, attempt: PaymentAttempt | None
    ) -> HttpAnswer:
        """The answer to an inquiry or payment notification of the bank: our verdict on it in the bank's format.  `attempt` is
        the attempt that the virtual account belongs to, if it was found.
        """
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

    kind     kind of the call
    path     path of the route; in an endpoint of a `Family` it contains {rail:str} for the name of the rail
    headers  names of the headers that are read, in lower case; a call with one of them twice is refused
    answer   makes the body of an answer from an HTTP status and a reason: 200 stored, 401 forged, 409 a call with this id and
             another body came before; other statuses as in HTTP
    busy     status and body of the answer if a process has no capacity: it has not read the call, and the provider must send
             the call again
    """

    kind: ProviderCallKind = ProviderCallKind.NOTIFICATION
    path: str
    summary: str
    headers: tuple[str, ...]
    answer: Callable[[int, str], Mapping[str, object]]
    busy: tuple[int, Mapping[str, object]]


# Function that yields the faults because of which a buyer must not pay by instructions.  Arguments: the instructions, the
# amount in rupiah, the provider's number of the instructions.
Complaints = Callable[[Instructions, int, str], Iterator[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RailKind:
    """Description of a rail, without keys and connections.

    name        name of the rail, in the column `provider` of rows
    methods     all methods of the rail
    offered     the methods that an installation offers, with its limits; None: all
    prefix      prefix of the numbers of payments by this rail, unique among rails
    endpoints   routes that its provider calls
    settings    the Struct of the settings of the rail
    demands     demands of production on these settings, if the installation has this rail
    undemanded  settings without a demand, each with the reason why any value is fit for production
    keys        the key files that production needs, in an order in which each can be made from those before it
    needs       refuses if something that `connect` needs is missing
    connect     opens the rail; sends nothing
    complaints  makes the function that finds faults of instructions; it needs only settings
    ourselves   our identity in messages of the provider: news about another merchant is not about us
    reread      parses the stored body of a notification as `Rail.notification` did
    payouts     the transfers of a connected rail, if it makes any
    desk        the inquiry desk of a connected rail, if its endpoints need one
    family      further rails of this kind, each described by a file of an installation
    demands_requery   True if a notification only causes a status query, whose answer is booked
    is_history_there  True if the provider has a record that can be queried; else the provider's files are compared
    gives_back  methods whose payments the rail can refund, within `window_seconds`; None: all
    is_own      True if the provider is our own database: every installation has the rail, no buyer chooses it, it is never
                out, and its payments are refunded by it alone, at any time
    admits      for a rail of our own database that an order may name: refuses an order of this account and sum; None if no
                order can name the rail
    timeout_seconds   time-out of one HTTP request
    call_seconds_max  longest time of one call of a `Rail`, with all its requests
    window_seconds    time in which the provider answers queries about a payment
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
        """The methods of this rail that an installation offers."""
        return self.methods if self.offered is None else self.offered(settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Kind of rails that are each described by a file `DIR/banks/<name>.toml`.

    name       the value of `kind` in the files
    endpoints  webhook endpoints of all these rails
    member     makes the rail from its name, the content of its file, and the path of the file.  Refuses `ConfigurationWrong`
    """

    name: str
    endpoints: tuple[ProviderEndpoint, ...]
    member: Callable[[str, Mapping[str, object], str], RailKind]


RailKinds = Sequence[RailKind]
