"""Events of distribution. The transaction of an act changes the rows of one account; the handler of its event then changes
those of a second account, such as the buyer's.
"""

from datetime import datetime
from uuid import UUID

from meterai.plumbing.work.events import Event


class SaleMoved(Event, frozen=True, kw_only=True):
    """A sale was made or, if `is_taken`, paid from the deposit; written by `sale_tell`."""

    sale: UUID
    seller: str
    buyer: UUID
    order: UUID
    attempt: UUID
    quantity: int
    unit_price: int
    service_fee: int
    due_seconds: float
    waits_until: datetime
    is_taken: bool


class SaleOffered(Event, frozen=True, kw_only=True):
    """The deposit does not cover a sale, and its buyer may pay the order instead; written by `sale_make`."""

    sale: UUID
    seller: str
    buyer: UUID
    order: UUID
    quantity: int
    total: int


class SaleClosed(Event, frozen=True, kw_only=True):
    """A waiting sale ended because its distributor was closed; written by `distributor_close`."""

    sale: UUID
    buyer: UUID
    order: UUID


class DepositLow(Event, frozen=True, kw_only=True):
    """A deposit is low, or sales wait for the deposit; written by `distribution.watch`."""

    told_at: datetime
