"""Priority of a request under overload: requests about money that was paid are served first, those of new visitors
last.
"""

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType


class Priority(IntEnum):
    """Order of service under overload: the lower number is served first. Each route declares its priority."""

    MONEY = 0  # notifications of a provider, refunds, the execution of paid orders
    PAID = 1  # stamping, downloads and states of paid orders
    CHECKOUT = 2  # an order under way, signing in
    CHECKING = 3  # is this document or serial genuine?
    NEW = 4  # new buyers, reading


@dataclass(frozen=True, slots=True)
class Allowance:
    """Share of the process that one priority has under overload.

    share          share of the requests under way; other priorities may use the unused part
    wait_seconds   longest wait of a request before it is refused
    total_seconds  age of a request after which its work is not begun any more, since no client waits for the answer
    """

    share: float
    wait_seconds: float
    total_seconds: float


# Shares as in section 6 of the design: four fifths for visitors who have paid or are paying. The waits are what a
# person at a page accepts, or a bank with a time-out of at least 10 s. Requests of new visitors are refused soonest.
# Visitors whom a waiting line has admitted wait longer instead of being refused: the line holds back visitors once
# waits of some seconds show overload.
ALLOWANCES = MappingProxyType(
    {
        Priority.MONEY: Allowance(0.30, 5.0, 30.0),
        Priority.PAID: Allowance(0.25, 15.0, 40.0),
        Priority.CHECKOUT: Allowance(0.25, 15.0, 40.0),
        Priority.CHECKING: Allowance(0.10, 1.5, 15.0),
        Priority.NEW: Allowance(0.10, 1.0, 10.0),
    }
)
