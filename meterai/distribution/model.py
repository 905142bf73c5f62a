"""Distributors and their sales; pure."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.ids import show, show_hex
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.refusal import CommandRefusal, Refusal, refusal_of_database

SALE_KIND = "sal"
METHOD = "deposit"  # by which the order of a sale is paid
_OF_SALES = frozenset(
    {"deposit_taken", "deposit_returned"}
)  # reasons of entries whose subject is a sale


class DistributorState(StrEnum):
    """State of a distributor."""

    APPROVED = "approved"  # by staff; it has paid no deposit yet
    OPEN = "open"
    CLOSING = "closing"  # sells no more; its deposit is still to go back
    CLOSED = "closed"


class DistributorEvent(StrEnum):
    """What happens to a distributor."""

    TOPPED_UP = "topped_up"
    CLOSED = "closed"  # by staff
    EMPTIED = "emptied"  # all of its deposit is given back


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
    """State of a sale at its seller; how its order stands is the order's to say."""

    WAITING = "waiting"  # for the deposit
    TAKEN = "taken"  # the deposit paid it
    ENDED = "ended"  # without the deposit


class SaleEvent(StrEnum):
    """What happens to a sale."""

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

    INVITED = "invited"  # it has not accepted yet
    OPEN = "open"
    PAUSED = "paused"  # its distributor lets it sell nothing for now
    ENDED = "ended"  # by either; it may be invited again


class ResellerEvent(StrEnum):
    """What happens to a reseller."""

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
)


class Short(StrEnum):
    """What becomes of a sale that the deposit does not cover."""

    WAIT = "wait"  # it waits for a top-up
    RETAIL = "retail"  # it waits, and its buyer is told how to pay it by our rails
    RETURN = "return"  # it waits no longer than a top-up under way may take


class SaleStanding(StrEnum):
    """How a sale stands, told of it and its order together."""

    WAITING = "waiting"
    PAID = "paid"  # the stamps are being issued
    EXECUTED = "executed"
    LAPSED = "lapsed"  # nobody paid it in time; the deposit was not touched
    WITHDRAWN = "withdrawn"  # its buyer gave it up; the same
    RETURNING = "returning"  # its money is on its way back
    RETURNED = "returned"
    CHARGED_BACK = "denied"


class NoDistributor(Refusal):
    """The account is no distributor."""

    code = "no_distributor"
    status = 404


@refusal_of_database
class SellerNotOpen(Refusal):
    """A distributor that does not sell: it has no deposit yet, or it ends."""

    code = "seller_not_open"
    status = 409

    def __init__(self, *, state: str) -> None:
        super().__init__(f"the distributor is {state}")
        self.state = state


@refusal_of_database
class SalesOfBuyerSpent(Refusal):
    """One seller sold to one buyer as often as it may in a day."""

    code = "sales_of_buyer_spent"
    status = 429
    quota = ("sales_to_buyer", "sales_max")
    retry_after_seconds = 3_600

    def __init__(self, *, sales_max: int) -> None:
        super().__init__(f"{sales_max} sales to this buyer in a day")
        self.sales_max = sales_max


@refusal_of_database
class ResellerNotOpen(Refusal):
    """A reseller that does not sell: it has not accepted, or its distributor paused or ended it."""

    code = "reseller_not_open"
    status = 409

    def __init__(self, *, state: str) -> None:
        super().__init__(f"the reseller is {state}")
        self.state = state


@refusal_of_database
class ResellerDaySpent(Refusal):
    """A sale beyond what a reseller may sell of the deposit of its distributor in a day (WIB)."""

    code = "reseller_day_spent"
    status = 429
    quota = ("reseller_rupiah_of_day", "day_rupiah")
    retry_after_seconds = 3_600  # a day ends at midnight, and a smaller sale may fit before

    def __init__(self, *, day_rupiah: int) -> None:
        super().__init__(f"at most {day_rupiah} rupiah in a day")
        self.day_rupiah = day_rupiah


class AlreadyReseller(Refusal):
    """The account is a reseller of this distributor already."""

    code = "already_reseller"
    status = 409


class SellsAlready(Refusal):
    """The account sells from another deposit, or from one of its own: it has one at most."""

    code = "sells_already"
    status = 409


class TooManyResellers(Refusal):
    """A distributor has as many resellers as it may."""

    code = "too_many_resellers"
    status = 409

    def __init__(self, *, resellers_max: int) -> None:
        super().__init__(f"{resellers_max} resellers")
        self.resellers_max = resellers_max


class FeesTooHigh(Refusal):
    """The fees of a distributor and its reseller together are above the bound of this installation."""

    code = "fees_too_high"
    status = 422

    def __init__(self, *, fees: int, fees_max: int) -> None:
        super().__init__(f"fees of {fees} rupiah, at most {fees_max}")
        self.fees = str(Rupiah(fees))
        self.fees_max = str(Rupiah(fees_max))


class DistributorFeeTooHigh(CommandRefusal):
    """A fee above the bound of this installation."""

    code = "distributor_fee_too_high"
    status = 422

    def __init__(self, *, fee: int, fee_max: int) -> None:
        super().__init__(f"a fee of {fee} rupiah, at most {fee_max}")
        self.fee = str(Rupiah(fee))
        self.fee_max = str(Rupiah(fee_max))


class FeeOfResellerOnTop(CommandRefusal):
    """The fee of a distributor and that of one of its resellers, or of an account that it invited, are above the bound together."""

    code = "fee_of_reseller_on_top"
    status = 422

    def __init__(self, *, reseller: UUID, fees: int, fees_max: int) -> None:
        super().__init__(f"with a reseller {fees} rupiah, at most {fees_max}")
        self.reseller = show("acc", reseller)
        self.fees = str(Rupiah(fees))
        self.fees_max = str(Rupiah(fees_max))


class AlreadyDistributor(CommandRefusal):
    """The organization is a distributor already."""

    code = "already_distributor"
    status = 409


class DepositTooSmall(CommandRefusal):
    """More is to go back than the deposit has that payments of ours can give back."""

    code = "deposit_too_small"
    status = 409

    def __init__(self, *, rupiah: int) -> None:
        super().__init__(f"the deposit has {rupiah} rupiah to give back")
        self.rupiah = str(Rupiah(rupiah))


class WorkbookTooLong(Refusal):
    """A workbook of more legs than it may have: the same statement is there as CSV and JSON."""

    code = "deposit_statement_too_long"
    status = 422

    def __init__(self, *, legs_max: int) -> None:
        super().__init__(f"more than {legs_max} movements")
        self.legs_max = legs_max


class Summed(NamedTuple):
    """What moved in a deposit on a day (WIB) by entries of one reason."""

    day: date
    reason: str
    entries: int
    amount: int


class Leg(NamedTuple):
    """One leg of the book, with the balance after it; its time as it is written, its subject in hexadecimal."""

    at: str
    entry: str
    reason: str
    subject: str
    amount: int
    balance: int

    @property
    def shown(self) -> str:
        """The sale or order that it is of."""
        return show_hex(SALE_KIND if self.reason in _OF_SALES else "ord", self.subject)


class DepositTerms(NamedTuple):
    """What staff and a distributor agreed; rupiah, days."""

    name: str
    fee: int
    short: Short
    region: str
    low_days: int
    low_rupiah: int
    topup_method: str | None
    topup_rupiah: int


class Distributor(NamedTuple):
    """One distributor with the terms of today."""

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
    """A shop window with the terms of its distributor today; fee in rupiah of each stamp."""

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
        """True where it sells."""
        return self.state == DistributorState.OPEN


class ResellerTerms(NamedTuple):
    """What a distributor lets a reseller do: the name of its shop, rupiah of each stamp, rupiah of a day."""

    name: str
    fee: int
    day_rupiah: int


class Reseller(NamedTuple):
    """One reseller; `distributor_name` is what its buyers see beside its own."""

    distributor: UUID
    distributor_name: str
    account: UUID
    state: ResellerState
    name: str
    fee: int
    day_rupiah: int
    sold_today: int


class SellingDeposit(NamedTuple):
    """From whose deposit an account sells, and which reseller it is there: None for the distributor itself."""

    distributor: UUID
    reseller: UUID | None


class SoldOfDay(NamedTuple):
    """What the deposit paid of a reseller's sales on a day (WIB), and what of any came back; rupiah."""

    day: date
    sales: int
    sold: int
    returned: int


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale as its seller has it."""

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
    """The sale that a key stands for, and its request; `created` only now or before."""

    created: bool
    id: UUID
    request: bytes


class SaleKey(NamedTuple):
    """Whose sale, and which."""

    account: UUID
    sale: UUID


class WaitingSales(NamedTuple):
    """Sales that wait for a deposit, and their money in rupiah."""

    sales: int
    rupiah: int


class LowDeposit(NamedTuple):
    """A distributor whose deposit is low, or that has sales which wait."""

    account: UUID


class DistributorStanding(NamedTuple):
    """One distributor beside the others: its deposit in rupiah, what waits for it, and what it sold last.

    low_below  rupiah below which its deposit is low
    lapsed     sales of the last week whose time to wait ran out
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


class DepositsStand(NamedTuple):
    """Sales that wait for deposits of whomever, since when the oldest, and how many deposits are low."""

    waiting: int
    oldest_at: datetime | None
    low: int


class AgreedTerms(NamedTuple):
    """Terms of a distributor as they were at a time."""

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
    """When a distributor came into its states."""

    approved_at: datetime
    opened_at: datetime | None
    closing_at: datetime | None
    closed_at: datetime | None
    low_at: datetime | None


def standing_of(sale: SaleState, order: str | None) -> SaleStanding:
    """How a sale stands.  `order` is the state of its order, None where that has not followed yet.

    A sale waits until it ends itself, a moment after its order: so long its deposit counts it as one that waits.
    """
    if sale != SaleState.WAITING and order not in (None, "placed"):
        return SaleStanding(order)
    return {
        SaleState.WAITING: SaleStanding.WAITING,
        SaleState.TAKEN: SaleStanding.PAID,
        SaleState.ENDED: SaleStanding.LAPSED,
    }[sale]
