"""kill -9 at every step of a deposit and its sales: nothing is lost, and nothing is charged twice.

One scenario is repeated: a top-up, a sale that is paid at once, a sale that waits for another top-up, a sale
whose stamps are returned, and a sale that its buyer withdraws. In each run a lock stops a process at one
statement, and the process is killed. Either the statement ends with it, or it is executed and its answer is
lost.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from tests.support.inside import Inside
from tests.support.instance import Client, until
from tests.support.killing import HOW, Step, again, tell
from tests.support.seller import UNIT, Seller

pytestmark = pytest.mark.sample(1, of="file")

FIRST, SECOND = 3 * UNIT, 2 * UNIT  # top-ups in rupiah


# Steps by the part of the scenario. In one run, one process is killed in each part.
STEPS: Mapping[str, Sequence[Step]] = {
    "topped up": [
        Step("web", "order_place", "orders"),
        Step("worker", "payment_capture", "captures"),
        Step("worker", "order_settle", "order_deposits"),
    ],
    "sold": [
        Step("web", "sale_make", "sales"),
        Step("worker", "sale_follow", "order_sellers"),
        Step("worker", "order_settle", "stamp_lots"),
    ],
    "sold beyond": [Step("web", "sale_make", "sales"), Step("worker", "sale_follow", "orders")],
    "topped up again": [Step("worker", "sale_take_waiting", "sales")],
    "asked back": [Step("worker", "deposit_return", "deposit_returns")],
    "sold to somebody else": [],
    "given up": [Step("web", "sale_end", "sales")],
}
TELLINGS = max(len(steps) for steps in STEPS.values())


class Story:
    """The acts of a distributor and its buyers. Each part is repeated until it succeeds."""

    def __init__(self, inside: Inside) -> None:
        self.inside = inside
        self.seller = Seller(inside)
        self.made: dict[str, Any] = {}  # answers by the keys of their requests

    @property
    def parts(self) -> dict[str, Callable[[], None]]:
        """The parts in order. Each repeats its requests until they had their effect."""
        acts: dict[str, Callable[[], None]] = {
            "topped up": lambda: self._top_up("first", FIRST),
            "sold": lambda: self._sell("sold", 1),
            "sold beyond": lambda: self._sell("beyond", 4),
            "topped up again": lambda: self._top_up("second", SECOND),
            "asked back": self._ask_back,
            "sold to somebody else": lambda: self._sell("left", 7),
            "given up": self._give_up,
        }

        def whole(name: str) -> None:
            acts[name]()
            self._has(name)

        return {name: partial(whole, name) for name in acts}

    def _top_up(self, key: str, rupiah: int) -> None:
        self.made[key] = self.seller.order_deposit(rupiah, key)
        self.seller.pay(self.made[key]["id"])

    def _sell(self, key: str, quantity: int) -> None:
        self.made[key] = self.seller.sell(key, quantity, f"{key}@{self.seller.account.hex}.example")

    def _buyer(self, key: str) -> Client:
        return self.seller.buyer(self.made[key])

    def _ask_back(self) -> None:
        buyer, order = self._buyer("sold"), self.made["sold"]["order"]
        given = again(lambda: buyer.ask_back(order, "back"))
        assert given.status in (200, 201), given.body

    def _give_up(self) -> None:
        buyer, order = self._buyer("left"), self.made["left"]["order"]
        given = again(lambda: buyer.post(f"/v1/orders/{order}/withdraw"))
        assert given.json["state"] == "withdrawn", given.body

    def _came_to(self, key: str, state: str) -> None:
        """Wait until a sale is in this state."""
        until(f"{key} is {state}", lambda: self.seller.sale(self.made[key])["state"] == state)

    def _has(self, part: str) -> None:
        """Wait until a part had its effect, to the rupiah."""
        seller = self.seller
        if part == "topped up":
            until("the deposit is there", lambda: seller.moved("deposit_added") == FIRST)
        elif part == "sold":
            self._came_to("sold", "executed")
            assert self._buyer("sold").balance()["available"] == 1
        elif part == "sold beyond":
            self._came_to("beyond", "waiting")
            assert seller.deposit["balance"] == FIRST - UNIT
        elif part == "topped up again":
            self._came_to("beyond", "executed")
            assert self._buyer("beyond").balance()["available"] == 4
        elif part == "asked back":
            self._came_to("sold", "returned")
            assert self._buyer("sold").balance()["available"] == 0
        else:
            self._came_to("left", "withdrawn" if part == "given up" else "waiting")

    def ends(self) -> None:
        """Check that every sum is right, and that a repeated request gets the same answer."""
        seller = self.seller
        assert seller.moved("deposit_added") == FIRST + SECOND
        assert seller.moved("deposit_taken") == -5 * UNIT
        assert seller.moved("deposit_returned") == UNIT
        assert seller.deposit["balance"] == UNIT
        seller.assert_statement_is_the_legs()
        for key, rupiah in (("first", FIRST), ("second", SECOND)):
            assert seller.order_deposit(rupiah, key)["id"] == self.made[key]["id"]
        for key, quantity in (("sold", 1), ("beyond", 4), ("left", 7)):
            before = self.made[key]
            self._sell(key, quantity)
            same = ("id", "order", "quantity", "total", "reference", "made_at", "waits_until")
            assert [self.made[key][one] for one in same] == [before[one] for one in same]
        assert len(seller.every()) == 3
        assert seller.moved("deposit_taken") == -5 * UNIT


@pytest.mark.parametrize("is_lost", HOW)
@pytest.mark.parametrize("telling", range(TELLINGS))
def test_sales_are_right_although_processes_are_killed(
    inside: Inside, telling: int, is_lost: bool
) -> None:
    story = Story(inside)
    tell(inside, story.parts, STEPS, telling, is_lost=is_lost)
    story.ends()
