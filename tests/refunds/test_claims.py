"""A buyer names a bank account: by its pages, by a link that opens once, and under limits."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from meterai import payments
from meterai.accounts import AccountService, OrganizationService
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id
from meterai.kit.refusal import Malformed
from meterai.refunds import knows
from meterai.refunds.claiming import ClaimService, _HolderAnswer
from meterai.refunds.holders import masked
from meterai.refunds.model import (
    AccountClaim,
    AccountClaimState,
    AccountTriesOfNetworkSpent,
    AccountTriesSpent,
    AccountWaitsForPerson,
    ClaimLinkExpired,
    ClaimLinkOfAnother,
    ClaimLinkUsed,
    ClaimLinkWrong,
    refused_as,
    wanted_account,
)
from meterai.refunds.routes import account_view
from standins.bank.accounts import FLOAT_ACCOUNT
from tests.support.shop import TESTER
from tests.support.till import Till, open_till

State = AccountClaimState
BUDI = ("014", "1234567890", "Budi Santoso")
BUDHI = ("009", "0190000001", "Budi Santoso")  # the bank knows the holder as BUDHI SANTOSA
BUYER = Actor(ActorKind.ACCOUNT)
NOT_THERE = ("014", "9999999999", "Budi Santoso")
MOST, OF_NETWORK, MOST_OF_ALL = 5, 4, 15


@pytest.fixture(scope="module")
def open_one(
    server: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Till]:
    folder = tmp_path_factory.mktemp("claims")
    name = f"test_{folder.name}_{abs(hash(folder)):x}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    url = server.replace("/postgres?", f"/{name}?")
    more: dict[str, Any] = {"bank_source_account": FLOAT_ACCOUNT, "account_tries_per_day_max": MOST}
    more["account_tries_per_hour_per_network_max"] = OF_NETWORK
    more["account_tries_per_hour_max"] = MOST_OF_ALL
    with open_till(url, folder, **more) as opened:
        yield opened


def waiting(till: Till, quantity: int = 1) -> UUID:
    """Make a refund that waits for an account and whose mail is queued."""
    shop = till.shop
    order = shop.place(quantity)
    shop.pay(order)
    shop.work()
    shop.ask_back(order)
    refund = shop.refunds()[-1]
    in_transaction(till, payments.reroute, refund)
    shop.work()
    return refund


def in_transaction(till: Till, command: Any, *arguments: Any) -> Any:
    async def run() -> Any:
        async with till.shop.container.database.transaction() as tx:
            return await command(tx, till.shop.account, *arguments)

    return till.do(run())


def another_buyer(till: Till) -> UUID:
    accounts = till.shop.container.of(AccountService)
    return till.do(accounts.create(f"{new_id().hex}@example.id", actor=TESTER))


def service(till: Till) -> ClaimService:
    return till.shop.container.of(ClaimService)


def name(
    till: Till,
    wanted: tuple[str, str, str] = BUDI,
    *,
    key: str = "",
    link: str = "",
    network: str = "",
) -> AccountClaim:
    key = key or str(new_id())
    account = wanted_account(*wanted)
    network = network or str(new_id())  # another text each time
    return till.do(
        service(till).name(till.shop.account, key, account, actor=BUYER, network=network, link=link)
    )


def link_of(till: Till) -> str:
    """The text in the link of the newest mail."""
    [mail] = till.rows(
        "SELECT facts FROM mails WHERE template = 'account_wanted' ORDER BY mail_id DESC LIMIT 1"
    )
    link = UUID(mail["facts"]["link"])
    path = till.do(service(till).path(till.shop.account, link))
    return path.partition("?claim=")[2]


def ways(till: Till) -> set[str]:
    return {row["way"] for row in till.rows("SELECT way FROM refunds")}


def mails(till: Till) -> list[str]:
    wanted = ["account_wanted", "account_named", "account_declined"]
    found = till.rows(
        "SELECT template FROM mails WHERE template = ANY (%s) ORDER BY mail_id", wanted
    )
    return [row["template"] for row in found]


def acts(till: Till) -> list[str]:
    acts = ["account_named", "account_held", "account_refused", "account_declined"]
    found = till.rows(
        "SELECT action FROM audit_events WHERE action = ANY (%s) ORDER BY happened_at", acts
    )
    return [row["action"] for row in found]


def test_account_with_the_typed_name_gets_the_waiting_money(till: Till) -> None:
    waiting(till)
    waiting(till, 2)
    assert mails(till) == ["account_wanted"], "one link for all that waits"
    found = name(till)
    assert (found.state, found.confirmed) == (State.NAMED, "BUDI SANTOSO")
    assert ways(till) == {"transfer"}
    assert acts(till) == ["account_named"]
    assert mails(till) == ["account_wanted", "account_named"]
    assert till.rows("SELECT state FROM claim_links") == [{"state": "spent"}]


def test_near_name_is_shown_in_part_and_confirmed_once(till: Till) -> None:
    waiting(till)
    near = name(till, BUDHI)
    assert (near.state, near.holder_shown) == (State.NEAR, masked("BUDHI SANTOSA"))
    assert ways(till) == {"claim"}
    confirm = service(till).confirm
    named = till.do(confirm(till.shop.account, near.id, actor=BUYER))
    assert named.state is State.NAMED
    assert till.do(confirm(till.shop.account, near.id, actor=BUYER)) == named
    assert acts(till) == ["account_named"]


@pytest.mark.parametrize(
    ("wanted", "state"),
    [
        (("014", "1234567890", "Ani Lestari"), State.OTHER),
        (("014", "9999999999", "Budi Santoso"), State.UNKNOWN),
        (("014", "1000000009", "Agus Salim"), State.UNKNOWN),
    ],
    ids=["other", "no_account", "closed"],
)
def test_account_with_another_name_is_refused(
    till: Till, wanted: tuple[str, str, str], state: State
) -> None:
    waiting(till)
    assert name(till, wanted).state is state
    assert ways(till) == {"claim"}
    assert acts(till) == ["account_refused"]
    assert name(till).state is State.NAMED


def test_unanswered_query_loses_nothing_and_costs_no_try(till: Till) -> None:
    waiting(till)
    till.answers("account-external", *[{"status": 504, "act": False, "body": ""}] * 20)
    for _ in range(MOST + 1):
        assert name(till).state is State.UNANSWERED
    assert acts(till) == []
    till.clear_faults()
    assert name(till).state is State.NAMED


def test_queries_of_banks_are_bounded_by_buyer_and_day(till: Till) -> None:
    waiting(till)
    for _ in range(MOST):
        assert name(till, ("014", "9999999999", "Budi")).state is State.UNKNOWN
    with pytest.raises(AccountTriesSpent):
        name(till)
    till.shop.arrange("UPDATE account_claims SET asked_at = now() - interval '25 hours'")
    assert name(till).state is State.NAMED


def test_queries_of_banks_are_bounded_by_network_and_hour(till: Till) -> None:
    for _ in range(2):
        waiting(till)
        for _ in range(2):
            name(till, NOT_THERE, network="198.51.100.7")
        till.shop.account = another_buyer(till)
    waiting(till)
    with pytest.raises(AccountTriesOfNetworkSpent):
        name(till, network="198.51.100.7")
    assert name(till, network="198.51.100.8").state is State.NAMED


def test_unanswered_account_is_queried_again_by_its_key(till: Till) -> None:
    waiting(till)
    till.answers("account-external", *[{"status": 504, "act": False, "body": ""}] * 20)
    first = name(till, key="again")
    assert first.state is State.UNANSWERED
    assert name(till, key="again").state is State.UNANSWERED
    till.clear_faults()
    found = name(till, key="again")
    assert (found.id, found.state) == (first.id, State.NAMED)
    assert len(till.rows("SELECT 1 FROM account_claims")) == 1


def test_account_of_a_dead_process_costs_no_try_and_is_queried_again(till: Till) -> None:
    waiting(till)
    begin = service(till)._begin
    wanted = wanted_account(*BUDI)

    async def dies(key: str) -> AccountClaim:
        async with till.shop.container.database.transaction() as tx:
            begun, _ = await begin(tx, till.shop.account, key, wanted, "", key)
        return begun

    for number in range(MOST):
        till.do(dies(str(number)))
    with pytest.raises(AccountTriesSpent):
        till.do(dies("other"))
    assert name(till, key="0").state is State.ASKED, "it is perhaps being asked"
    first = till.do(dies("0"))
    till.shop.arrange("UPDATE account_claims SET asked_at = now() - interval '121 seconds'")
    assert name(till, key="0").state is State.NAMED

    async def answers_late() -> AccountClaim:
        async with till.shop.container.database.transaction() as tx:
            return await service(till)._answered(first, _HolderAnswer("", None), BUYER, tx)

    assert till.do(answers_late()).state is State.NAMED


# -- links -------------------------------------------------------------------------------------


def test_link_opens_once(till: Till) -> None:
    waiting(till)
    link = link_of(till)
    assert till.do(service(till).opened(link)) == till.shop.account
    assert name(till, link=link).state is State.NAMED
    assert till.rows("SELECT state FROM claim_links") == [{"state": "used"}]
    with pytest.raises(ClaimLinkUsed):
        till.do(service(till).opened(link))
    with pytest.raises(ClaimLinkUsed):
        name(till, link=link)


def test_altered_truncated_or_foreign_link_shows_nothing(till: Till) -> None:
    waiting(till)
    link = link_of(till)
    other = another_buyer(till)
    for wrong in (
        "",
        link[:-1],
        link[:60],
        link[:-1] + ("A" if link[-1] != "A" else "B"),
        link[:26] + link[26:52][::-1] + link[52:],
        "\x00" * 84,
        "\U0001f600" * 84,
        "A" * 10_000,
    ):
        with pytest.raises(ClaimLinkWrong):
            till.do(service(till).opened(wrong))
    with pytest.raises(ClaimLinkOfAnother):
        till.do(service(till).opened(link, signed_in=frozenset({other})))
    both = frozenset({till.shop.account, other})
    assert till.do(service(till).opened(link, signed_in=both)) == till.shop.account


def test_expired_link_is_replaced_while_money_waits(till: Till) -> None:
    waiting(till)
    link = link_of(till)
    till.shop.arrange(
        "UPDATE claim_links SET made_at = made_at - interval '40 days', expires_at = now() - interval '1 minute'"
    )
    link = link_of(till)
    with pytest.raises(ClaimLinkExpired):
        till.do(service(till).opened(link))
    assert till.do(service(till).renew()) == 1
    assert mails(till) == ["account_wanted", "account_wanted"]
    newer = link_of(till)
    assert newer != link
    assert till.do(service(till).opened(newer)) == till.shop.account
    till.shop.arrange("UPDATE claim_links SET made_at = ended_at WHERE state = 'spent'")


# -- what waits for a person -------------------------------------------------------------------


def test_large_sum_waits_for_a_person(till: Till) -> None:
    waiting(till, 300)
    held = name(till)
    assert (held.state, held.held_for) == (State.HELD, "large_sum")
    assert ways(till) == {"claim"}
    assert acts(till) == ["account_held"]


def test_account_under_review_blocks_other_accounts(till: Till) -> None:
    waiting(till, 300)
    near = name(till, BUDHI)
    held = name(till, key="held")
    assert held.state is State.HELD
    assert name(till, key="held") == held
    with pytest.raises(AccountWaitsForPerson):
        name(till, ("014", "9999999999", "Budi"))
    with pytest.raises(AccountWaitsForPerson):
        till.do(service(till).confirm(till.shop.account, near.id, actor=BUYER))


def test_answer_masks_the_name_beyond_the_typed_part(till: Till) -> None:
    waiting(till)
    near = name(till, BUDHI)
    refused = refused_as(near, near.state)
    assert (refused.facts()["holder"], near.holder_shown) == ("B*** S***", "B*** S***")
    named = till.do(service(till).confirm(till.shop.account, near.id, actor=BUYER))
    view = account_view(named)
    assert view.holder == "Budi Santoso"

    async def told() -> list[Any]:
        async with till.shop.container.database.reading() as tx:
            return list(await knows.tell(tx, named.subject))

    shown = [str(one.facts) for one in till.do(told()) if not one.for_staff]
    assert len(shown) == 2
    assert "BUDHI SANTOSA" not in "".join(shown)


@pytest.mark.parametrize(
    ("organization", "state", "held_for"),
    [("PT Maju Jaya", State.HELD, "organization"), ("CV Budi Santoso", State.NAMED, "")],
    ids=["another_name", "its_own_name"],
)
def test_money_of_an_organization_goes_to_its_own_name(
    till: Till, organization: str, state: State, held_for: str
) -> None:
    organizations = till.shop.container.of(OrganizationService)
    owner, till.shop.account = till.shop.account, new_id()
    till.do(organizations.make(till.shop.account, owner, organization, "", ""))
    waiting(till)
    found = name(till)
    assert (found.state, found.held_for) == (state, held_for)


def test_account_named_by_many_buyers_is_held(till: Till) -> None:
    waiting(till)
    mine = till.shop.account
    for _ in range(3):
        till.shop.account = another_buyer(till)
        waiting(till)
        assert name(till).state is State.NAMED
    till.shop.account = mine
    held = name(till)
    assert (held.state, held.held_for) == (State.HELD, "many_buyers")


# -- typed accounts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (("", *BUDI[1:]), "bank_code"),
        (("14", *BUDI[1:]), "bank_code"),
        (("BCA", *BUDI[1:]), "bank_code"),
        (("014", "", "Budi"), "account_no"),
        (("014", "12345", "Budi"), "account_no"),
        (("014", "1" * 21, "Budi"), "account_no"),
        (("014", "12345678a", "Budi"), "account_no"),
        (("014", "\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "Budi"), "account_no"),
        (("014", BUDI[1], ""), "holder"),
        (("014", BUDI[1], "   "), "holder"),
        (("014", BUDI[1], "\U0001f600 Budi"), "holder"),
        (("014", BUDI[1], "<b>Budi</b>"), "holder"),
        (("014", BUDI[1], "B" * 101), "holder"),
        (("014", BUDI[1], "B" * 100_000), "holder"),
        (("014", BUDI[1], "12345"), "holder"),
    ],
)
def test_malformed_account_is_refused_at_its_field(typed: tuple[str, str, str], field: str) -> None:
    with pytest.raises(Malformed) as refused:
        wanted_account(*typed)
    assert refused.value.field == field
