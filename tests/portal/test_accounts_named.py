"""Page that names a bank account: why it is needed, or the result for one named before."""

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from meterai import payments
from meterai.kit.ids import new_id
from meterai.plumbing.messages import translate
from tests.support.shop import Shop, open_shop
from tests.support.walk_in import WalkIn, fields, walk_in

PAGE = "/refunds/account"


class Buyer(WalkIn):
    """A buyer whose refund waits for an account."""

    def __init__(self, walker: WalkIn, shop: Shop) -> None:
        super().__init__(walker.client)
        self.shop = shop
        self.signs_in()
        [row] = shop.rows("SELECT account_id FROM accounts WHERE email = 'ani@example.id'")
        shop.account = row["account_id"]
        order = shop.place(1)
        shop.pay(order)
        shop.work()
        shop.ask_back(order)
        self.does(payments.reroute, shop.refunds()[-1])

    def does(self, command: object, *arguments: object) -> None:
        async def run() -> None:
            async with self.shop.container.database.transaction() as tx:
                await command(tx, self.shop.account, *arguments)  # type: ignore[operator]

        self.shop.do(run())

    def reads(self, path: str = PAGE) -> str:
        return unescape(self.get(path))


@pytest.fixture
def buyer(database_url: str, tmp_path: Path) -> Iterator[Buyer]:
    with open_shop(database_url, tmp_path) as shop, walk_in(database_url, tmp_path) as walker:
        yield Buyer(walker, shop)


def test_form_says_that_money_cannot_go_back(buyer: Buyer) -> None:
    assert translate("account_wanted.first", "en") in buyer.reads()
    assert fields(buyer.reads(), PAGE)["key"]


def test_account_held_for_review_is_shown_in_place_of_the_form(buyer: Buyer) -> None:
    buyer.shop.call(
        "INSERT INTO account_claims (account_id, claim_id, claim_key, request_hash, state, bank_code, account_no, typed,"
        " confirmed, held_for, decided_at)"
        " VALUES (%s, %s, 'key', 'request', 'held', '014', '1234567890', 'Budi', 'BUDI', 'large_sum', now())",
        buyer.shop.account,
        new_id(),
    )
    shown = buyer.reads()
    assert translate("page.account_named.held.lead", "en") in shown
    assert "7890" in shown
    assert "<form class=" not in shown
    history = buyer.reads("/history")
    assert translate("stage.refund.waiting_for_account.held", "en") in history
    assert translate("page.order.headline.account_held", "en") in history
    assert translate("stage.refund.waiting_for_account", "en") not in history
