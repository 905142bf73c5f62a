"""Types, lifecycles and refusals of distributors and their sales; pure."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.ids import show, show_hex
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.refusal import CommandRefusal, Refusal, refusal_of_database
from meterai.kit.subjects import SubjectSort

DISTRIBUTOR_SUBJECT = SubjectSort("distributor", page="/console/channels")
SALE_SUBJECT = SubjectSort("sale", prefix="sal")

SALE_KIND = "sal"
METHOD = "deposit"  # payment method of the order of a sale
_OF_SALES = frozenset(
    {"deposit_taken", "deposit_returned"}
)  # reasons of entries whose subject is a sale


class DistributorState(StrEnum):
    """State of a distributor."""

    APPROVED = "approved"  # by staff; no deposit is paid yet
    OPEN = "open"
    CLOSING = "closing"  # sells no more; its deposit is still to be refunded
    CLOSED = "closed"


class DistributorEvent(StrEnum):
    """Event of a distributor."""

    TOPPED_UP = "topped_up"
    CLOSED = "closed"  # by staff
    EMPTIED = "emptied"  # its whole deposit was refunded


_D, _E = DistributorState, DistributorEvent
DISTRIBUTOR = Lifecycle(
    "the distributor",
    {
        (_D.APPROVED, _E.TOPPED_UP): _D.OPEN,
        (_D.APPROVED, _E.CLOSED): _D.CLOSING,
        (_D.OPEN, _E.CLOSED): _D.CLOSING,
        (_D.CLOSING, _E.EMPTIED): _D.CLOSED,
    },
)


class SaleState(StrEnum):
    """State of a sale for its seller; the buyer's order has a state of its own."""

    WAITING = "waiting"  # for the deposit
    TAKEN = "taken"  # the deposit paid it
    ENDED = "ended"  # the deposit did not pay it


class SaleEvent(StrEnum):
    """Event of a sale."""

    TAKEN = "taken"
    ENDED = "ended"


SALE = Lifecycle(
    "the sale",
    {
        (SaleState.WAITING, SaleEvent.TAKEN): SaleState.TAKEN,
        (SaleState.WAITING, SaleEvent.ENDED): SaleState.ENDED,
    },
)


class ResellerState(StrEnum):
    """State of a reseller at its distributor."""

    INVITED = "invited"  # the account has not accepted yet
    OPEN = "open"
    PAUSED = "paused"  # stopped by its distributor for now
    ENDED = "ended"  # by the distributor or the reseller; it may be invited again


class ResellerEvent(StrEnum):
    """Event of a reseller."""

    ACCEPTED = "accepted"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"
    INVITED_AGAIN = "invited_again"


_R, _H = ResellerState, ResellerEvent
RESELLER = Lifecycle(
    "the reseller",
    {
        (_R.INVITED, _H.ACCEPTED): _R.OPEN,
        (_R.INVITED, _H.ENDED): _R.ENDED,
        (_R.OPEN, _H.PAUSED): _R.PAUSED,
        (_R.OPEN, _H.ENDED): _R.ENDED,
        (_R.PAUSED, _H.RESUMED): _R.OPEN,
        (_R.PAUSED, _H.ENDED): _R.ENDED,
        (_R.ENDED, _H.INVITED_AGAIN): _R.INVITED,
    },
    reopens={ResellerEvent.INVITED_AGAIN},
)


class Short(StrEnum):
    """Treatment of a sale that the deposit does not cover."""

    WAIT = "wait"  # the sale waits for a top-up
    RETAIL = "retail"  # the sale waits, and its buyer may pay the order by our rails
    RETURN = "return"  # the sale waits only for the short time that a top-up under way may take


class SaleStanding(StrEnum):
    """State that people are shown for a sale and its order together."""

    WAITING = "waiting"
    PAID = "paid"  # the stamps are being issued
    EXECUTED = "executed"
    LAPSED = "lapsed"  # nobody paid it in time; the deposit was not touched
    WITHDRAWN = "withdrawn"  # its buyer cancelled it; the deposit was not touched
    RETURNING = "returning"  # its money is on its way back
    RETURNED = "returned"
    CHARGED_BACK = "denied"


class NoDistributor(Refusal):
    """The account is not a distributor."""

    code = "no_distributor"
    status = 404


@refusal_of_database
class SellerNotOpen(Refusal):
    """The distributor does not sell: it has no deposit yet, or it is closing."""

    code = "seller_not_open"
    status = 409

    def __init__(self, *, state: str) -> None:
        super().__init__(f"the distributor is {state}")
        self.state = state


@refusal_of_database
class SalesOfBuyerSpent(Refusal):
    """The seller has made the maximum number of sales to one buyer within a day."""

    code = "sales_of_buyer_spent"
    status = 429
    quota = ("sales_to_buyer", "sales_max")
    retry_after_seconds = 3_600

    def __init__(self, *, sales_max: int) -> None:
        super().__init__(f"{sales_max} sales to this buyer in a day")
        self.sales_max = sales_max


@refusal_of_database
class ResellerNotOpen(Refusal):
    """The reseller does not sell: it has not accepted, is paused, or has ended."""

    code = "reseller_not_open"
    status = 409

    def __init__(self, *, state: str) -> None:
        super().__init__(f"the reseller is {state}")
        self.state = state


@refusal_of_database
class ResellerDaySpent(Refusal):
    """The sale exceeds the rupiah that a reseller may sell from the deposit of its distributor in a day (WIB)."""

    code = "reseller_day_spent"
    status = 429
    quota = ("reseller_rupiah_of_day", "day_rupiah")
    retry_after_seconds = 3_600  # the limit is renewed at midnight; a smaller sale may fit earlier

    def __init__(self, *, day_rupiah: int) -> None:
        super().__init__(f"at most {day_rupiah} rupiah in a day")
        self.day_rupiah = day_rupiah


class AlreadyReseller(Refusal):
    """The account already is a reseller of this distributor."""

    code = "already_reseller"
    status = 409


class SellsAlready(Refusal):
    """The account already sells from its own deposit or from that of another distributor; it can sell from only one."""

    code = "sells_already"
    status = 409


class TooManyResellers(Refusal):
    """The distributor has the maximum number of resellers."""

    code = "too_many_resellers"
    status = 409

    def __init__(self, *, resellers_max: int) -> None:
        super().__init__(f"{resellers_max} resellers")
        self.resellers_max = resellers_max


class FeesTooHigh(Refusal):
    """The fees of a distributor and its reseller together exceed the bound of this installation."""

    code = "fees_too_high"
    status = 422

    def __init__(self, *, fees: int, fees_max: int) -> None:
        super().__init__(f"fees of {fees} rupiah, at most {fees_max}")
        self.fees = str(Rupiah(fees))
        self.fees_max = str(Rupiah(fees_max))


class DistributorFeeTooHigh(CommandRefusal):
    """The fee of a distributor exceeds the bound of this installation."""

    code = "distributor_fee_too_high"
    status = 422

    def __init__(self, *, fee: int, fee_max: int) -> None:
        super().__init__(f"a fee of {fee} rupiah, at most {fee_max}")
        self.fee = str(Rupiah(fee))
        self.fee_max = str(Rupiah(fee_max))


class FeeOfResellerOnTop(CommandRefusal):
    """The fees of a distributor and one of its resellers or invited accounts together exceed the bound."""

    code = "fee_of_reseller_on_top"
    status = 422

    def __init__(self, *, reseller: UUID, fees: int, fees_max: int) -> None:
        super().__init__(f"with a reseller {fees} rupiah, at most {fees_max}")
        self.reseller = show("acc", reseller)
        self.fees = str(Rupiah(fees))
        self.fees_max = str(Rupiah(fees_max))


class AlreadyDistributor(CommandRefusal):
    """The organization already is a distributor."""

    code = "already_distributor"
    status = 409


class DepositTooSmall(CommandRefusal):
    """The amount exceeds the part of the deposit that can be refunded through the payments of its top-ups."""

    code = "deposit_too_small"
    status = 409

    def __init__(self, *, rupiah: int) -> None:
        super().__init__(f"the deposit has {rupiah} rupiah to give back")
        self.rupiah = str(Rupiah(rupiah))


class WorkbookTooLong(Refusal):
    """The workbook would have too many rows (movements of the deposit); the same statement is available as CSV and JSON."""

    code = "deposit_statement_too_long"
    status = 422

    def __init__(self, *, legs_max: int) -> None:
        super().__init__(f"more than {legs_max} movements")
        self.legs_max = legs_max


class Summed(NamedTuple):
    """Number and sum (in rupiah) of the ledger entries that moved a deposit on a day (WIB) for one reason."""

    day: date
    reason: str
    entries: int
    amount: int


class Leg(NamedTuple):
    """One leg (amount of a ledger entry) of a deposit: time as text, id of the sale or order (`subject`) in hexadecimal, and
    amount and balance in rupiah.
    """

    at: str
    entry: str
    reason: str
    subject: str
    amount: int
    balance: int

    @property
    def shown(self) -> str:
        """Public id of the sale or order to which the leg belongs."""
        return show_hex(SALE_KIND if self.reason in _OF_SALES else "ord", self.subject)


class DepositTerms(NamedTuple):
    """Terms agreed by staff and a distributor.

    `fee` is rupiah for each stamp. The deposit is low if it is below `low_rupiah`, or would last less than `low_days` days.
    """

    name: str
    fee: int
    short: Short
    region: str
    low_days: int
    low_rupiah: int
    topup_method: str | None
    topup_rupiah: int


class Distributor(NamedTuple):
    """A distributor with its current terms."""

    account: UUID
    state: DistributorState
    approved_at: datetime
    low_at: datetime | None
    name: str
    fee: int
    short: Short
    region: str
    low_days: int
    low_rupiah: int
    topup_method: str | None
    topup_rupiah: int
    mean_rupiah: int


class Shop(NamedTuple):
    """A sales page with the current terms of its distributor; `fee` in rupiah for each stamp."""

    account: UUID
    slug: str
    colour: str
    terms: str
    logo_hash: str | None
    set_at: datetime
    state: DistributorState
    name: str
    fee: int

    @property
    def is_open(self) -> bool:
        """True if the distributor sells."""
        return self.state == DistributorState.OPEN


class ResellerTerms(NamedTuple):
    """Terms of a reseller: name of its shop, fee in rupiah for each stamp, and rupiah that it may sell in a day (WIB)."""

    name: str
    fee: int
    day_rupiah: int


class Reseller(NamedTuple):
    """A reseller with its distributor; buyers see both names. `sold_today` and `day_rupiah` in rupiah of the deposit."""

    distributor: UUID
    distributor_name: str
    account: UUID
    state: ResellerState
    name: str
    fee: int
    day_rupiah: int
    sold_today: int


class SellingDeposit(NamedTuple):
    """The deposit from which an account sells: account of the distributor, and of the reseller (None for the distributor)."""

    distributor: UUID
    reseller: UUID | None


class SoldOfDay(NamedTuple):
    """Sales of a reseller on a day (WIB): their number, rupiah taken from the deposit, and rupiah returned to it."""

    day: date
    sales: int
    sold: int
    returned: int


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale as stored for its seller; `total` and `returned` in rupiah."""

    id: UUID
    buyer: UUID
    order: UUID
    quantity: int
    total: int
    reference: str | None
    state: SaleState
    made_at: datetime
    waits_until: datetime
    taken_at: datetime | None
    ended_at: datetime | None
    returned: int
    reseller: UUID | None


class PlacedSale(NamedTuple):
    """The sale that was made with an idempotency key: its id, and the hash of the request that made it.

    `created` is True if this call made the sale, and False if an earlier call made it.
    """

    created: bool
    id: UUID
    request: bytes


class SaleKey(NamedTuple):
    """Account of the distributor, and id of a sale."""

    account: UUID
    sale: UUID


class WaitingSales(NamedTuple):
    """Number and rupiah of sales that wait for a deposit."""

    sales: int
    rupiah: int


class LowDeposit(NamedTuple):
    """Account of a distributor with a low deposit, or with waiting sales."""

    account: UUID


class DistributorStanding(NamedTuple):
    """Current figures of a distributor: its deposit in rupiah, its waiting sales, its last sale.

    mean_rupiah  rupiah taken from the deposit per day, averaged over a week
    low_below    rupiah below which the deposit is low
    lapsed       sales that ended in the last seven days, unpaid, since they had waited for the deposit for too long
    """

    account: UUID
    name: str
    region: str
    state: DistributorState
    short: Short
    deposit: int
    mean_rupiah: int
    low_below: int
    waiting_sales: int
    waiting_rupiah: int
    oldest_at: datetime | None
    last_sale_at: datetime | None
    lapsed: int


class DepositFigures(NamedTuple):
    """Number of waiting sales of all distributors, time of the oldest of them, and number of low deposits."""

    waiting: int
    oldest_at: datetime | None
    low: int


class AgreedTerms(NamedTuple):
    """Terms of a distributor, in force from `set_at` until newer terms are set."""

    set_at: datetime
    name: str
    fee: int
    short: Short
    region: str
    low_days: int
    low_rupiah: int
    topup_method: str | None
    topup_rupiah: int


class Steps(NamedTuple):
    """Times at which a distributor reached its states."""

    approved_at: datetime
    opened_at: datetime | None
    closing_at: datetime | None
    closed_at: datetime | None
    low_at: datetime | None


def standing_of(sale: SaleState, order: str | None) -> SaleStanding:
    """Return the state to show for a sale and its order. `order` is the state of the order; None before the order exists.

    An order may end a moment before its sale. In between, the state is `waiting`, since the deposit still has the sale among
    its waiting sales.
    """
    if sale != SaleState.WAITING and order not in (None, "placed"):
        return SaleStanding(order)
    return {
        SaleState.WAITING: SaleStanding.WAITING,
        SaleState.TAKEN: SaleStanding.PAID,
        SaleState.ENDED: SaleStanding.LAPSED,
    }[sale]
