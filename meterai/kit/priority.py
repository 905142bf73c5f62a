"""How near a request is to money that has been paid: who is served first when not all can be."""

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType


class Priority(IntEnum):
    """What is served first.  Each route declares one; the lower number goes first."""

    MONEY = 0  # what a provider tells, refunds, the execution of what is paid
    PAID = 1  # stamping, downloads and states of what is paid
    CHECKOUT = 2  # an order under way, signing in
    CHECKING = 3  # is this document, this serial genuine?
    NEW = 4  # new buyers, reading


@dataclass(frozen=True, slots=True)
class Allowance:
    """What requests of one priority may have while there is not enough for all.

    share          of what is under way is theirs where they want it; what they do not use, others may
    wait_seconds   how long one waits for its turn before it is refused
    total_seconds  after which nobody waits for its answer any more, so that it is not begun
    """

    share: float
    wait_seconds: float
    total_seconds: float


# The shares are of design §6: four fifths to those who paid or are paying.  Waits are what a person
# with a page (or a bank with a time-out of 10 s and more) bears; whoever has not begun is told soonest.  Who has
# come in waits in the place of being refused: a line holds back those whom a wait of seconds says are too many.
ALLOWANCES = MappingProxyType(
    {
        Priority.MONEY: Allowance(0.30, 5.0, 30.0),
        Priority.PAID: Allowance(0.25, 15.0, 40.0),
        Priority.CHECKOUT: Allowance(0.25, 15.0, 40.0),
        Priority.CHECKING: Allowance(0.10, 1.5, 15.0),
        Priority.NEW: Allowance(0.10, 1.0, 10.0),
    }
)
