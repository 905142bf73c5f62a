"""Priority of a request: how near it is to paid money. The most urgent are served first under overload."""

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType


class Priority(IntEnum):
    """Order of service. Each route declares one; the lower number is served first."""

    MONEY = 0  # news of a provider, refunds, the execution of paid orders
    PAID = 1  # stamping, downloads and states of paid orders
    CHECKOUT = 2  # an order under way, signing in
    CHECKING = 3  # is this document or serial genuine?
    NEW = 4  # new buyers, reading


@dataclass(frozen=True, slots=True)
class Allowance:
    """Share of one priority under overload.

    share          share of the requests under way; unused parts of it go to others
    wait_seconds   longest wait of a request before it is refused
    total_seconds  time after which no client waits for the answer any more, so that the request is not begun
    """

    share: float
    wait_seconds: float
    total_seconds: float


# Shares of design §6: four fifths for those who paid or are paying. Waits are what a person with a page (or a bank
# with a time-out of 10 s and more) accepts; those who have not begun are refused soonest. Admitted people wait instead
# of being refused: a line holds back people when waits of some seconds show that there are too many.
ALLOWANCES = MappingProxyType(
    {
        Priority.MONEY: Allowance(0.30, 5.0, 30.0),
        Priority.PAID: Allowance(0.25, 15.0, 40.0),
        Priority.CHECKOUT: Allowance(0.25, 15.0, 40.0),
        Priority.CHECKING: Allowance(0.10, 1.5, 15.0),
        Priority.NEW: Allowance(0.10, 1.0, 10.0),
    }
)
