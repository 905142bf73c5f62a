"""Information for buyers on refunds by transfer: the view of a refund, and mails."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from meterai import payments
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id
from meterai.payments import RefundPayee
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.refunds import ClaimService, RefundView, refunds_of_orders
from meterai.refunds.model import AccountClaim, AccountClaimState, wanted_account
from standins.bank.accounts import FLOAT_ACCOUNT
from tests.support.till import Till, open_till

BUDI = ("014", "1234567890", "Budi Santoso")
BUYER = Actor(ActorKind.ACCOUNT)
SHOWN = "BCA \u2022\u2022\u2022\u2022 7890"


@pytest.fixture(scope="module")
def open_one(
    server: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Till]:
    folder = tmp_path_factory.mktemp("told")
    name = f"test_{folder.name}_{abs(hash(folder)):x}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    url = server.replace("/postgres?", f"/{name}?")
    more: dict[str, Any] = {"bank_source_account": FLOAT_ACCOUNT}
    with open_till(url, folder, **more) as opened:
        yield opened


def asked_back(till: Till, quantity: int = 1) -> UUID:
    """Make a paid order whose stamps were given back."""
    shop = till.shop
    order = shop.place(quantity)
    shop.pay(order)
    shop.work()
    shop.ask_back(order)
    return order


def waiting(till: Till, quantity: int = 1) -> UUID:
    """Make an order whose money waits for an account and whose mails are queued."""
    order = asked_back(till, quantity)
    in_transaction(till, payments.reroute, till.shop.refunds()[-1])
    till.shop.work()
    return order


def in_transaction(till: Till, command: Any, *arguments: Any) -> Any:
    async def run() -> Any:
        async with till.shop.container.database.transaction() as tx:
            return await command(tx, till.shop.account, *arguments)

    return till.do(run())


def name(till: Till) -> AccountClaim:
    service = till.shop.container.of(ClaimService)
    account = wanted_account(*BUDI)
    key = str(new_id())
    return till.do(service.name(till.shop.account, key, account, actor=BUYER, network="192.0.2.1"))


def view(till: Till, order: UUID) -> RefundView:
    [found] = in_transaction(till, refunds_of_orders, [order])
    assert isinstance(found, RefundView)
    return found


def refused(till: Till) -> None:
    """Have the bank refuse the named account."""
    account = till.shop.account
    till.shop.arrange("UPDATE payees SET ended_at = now() WHERE account_id = %s", account)
    till.shop.arrange(
        "UPDATE refunds SET way = 'claim', wanted_at = now() WHERE account_id = %s", account
    )
    refund = till.shop.refunds()[-1]
    till.shop.call("SELECT refund_want_account(%s, %s)", account, refund)
    till.shop.work()


def test_refund_is_shown_with_its_account(till: Till) -> None:
    order = waiting(till)
    assert view(till, order).account is None
    assert name(till).state is AccountClaimState.NAMED
    found = view(till, order)
    assert (found.goes_to, found.way_word) == (SHOWN, "account")


def test_refund_shows_its_refused_account_until_another_is_named(till: Till) -> None:
    order = waiting(till)
    name(till)
    refused(till)
    found = view(till, order)
    assert found.account is not None
    assert (found.account.state, found.account.shown) == ("refused", SHOWN)
    other = RefundPayee("008", "1110002222", "BUDI SANTOSO")
    in_transaction(till, payments.name_payee, other)
    assert view(till, order).goes_to == "Mandiri \u2022\u2022\u2022\u2022 2222"


# -- mails -------------------------------------------------------------------------------------


def mail(till: Till, template: str) -> dict[str, Any]:
    """Facts of the newest mail of a template."""
    [found] = till.rows(
        "SELECT facts FROM mails WHERE template = %s ORDER BY mail_id DESC LIMIT 1", template
    )
    facts: dict[str, Any] = found["facts"]
    return facts


def test_mail_of_a_wanted_account_has_the_reason(till: Till) -> None:
    waiting(till)
    assert "sumber pembayaran" in mail(till, "account_wanted")["because"]["id"]
    name(till)
    refused(till)
    because = mail(till, "account_wanted")["because"]
    assert because == {
        one: translate("account_wanted.refused", one, account=SHOWN) for one in LANGUAGES
    }
    assert name(till).state is AccountClaimState.NAMED


def test_held_account_is_mailed_once_without_a_request_for_another(till: Till) -> None:
    waiting(till, 300)
    held = name(till)
    told = till.rows("SELECT cause_key, facts FROM mails WHERE template = 'account_held'")
    assert [one["cause_key"] for one in told] == [f"account_held:{held.shown}"]
    assert mail(till, "account_held")["bank"] == "BCA"
    till.shop.arrange("UPDATE claim_links SET expires_at = now()")
    till.do(till.shop.container.of(ClaimService).renew())
    assert len(till.rows("SELECT 1 FROM mails WHERE template = 'account_wanted'")) == 1
