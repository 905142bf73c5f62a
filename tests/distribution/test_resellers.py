"""Resellers: one level below a distributor, within a daily limit, without access to the distributor's data."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from meterai.distribution import levers
from meterai.distribution.model import (
    AlreadyReseller,
    FeeOfResellerOnTop,
    FeesTooHigh,
    NoDistributor,
    ResellerDaySpent,
    ResellerNotOpen,
    ResellerTerms,
    SellerNotOpen,
    SellsAlready,
    Short,
)
from meterai.distribution.statement import StatementSpan
from meterai.kit.days import Month, day_of
from meterai.kit.ids import new_id, read, show
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.paging import ListPage
from meterai.kit.refusal import Malformed, NotFound, Refusal
from meterai.payments import Deposit
from tests.distribution.conftest import SELLER, UNIT, Depot
from tests.support.shop import TESTER

MONTH = StatementSpan.read(str(Month.of(day_of(datetime.now(UTC)))), None)


def second(depot: Depot) -> Depot:
    """Another distributor of the same shop."""
    found = Depot(depot.shop)
    found.approve()
    return found


def of(depot: Depot, account: Depot) -> Any:
    return depot.shop.do(depot.resellers.reseller(depot.account, account.account))


# -- selling ---------------------------------------------------------------------------------------


def test_reseller_sells_from_deposit_and_buyer_sees_both_names(depot: Depot) -> None:
    depot.top_up(100_000)
    kiosk = depot.reseller(50_000)
    made = kiosk.sell(2, to="ani@example.id", reference="kasir-1")
    depot.work()
    assert depot.balance == 100_000 - 2 * UNIT
    assert depot.sale(made).reseller == show("acc", kiosk.account)
    assert depot.order(made).seller == f"Kios Ani ({SELLER})"
    found = of(depot, kiosk)
    assert (found.sold_today, found.left_today) == (2 * UNIT, 50_000 - 2 * UNIT)
    depot.check()


def test_instructions_of_waiting_sale_name_reseller_and_distributor(depot: Depot) -> None:
    depot.top_up(10_000)
    made = depot.reseller().sell()
    depot.work()
    assert depot.order(made).payment.instructions == Deposit(f"Kios Ani ({SELLER})")
    depot.top_up(10_000)
    assert depot.sale(made).state == "executed"
    depot.check()


def test_reseller_sees_only_its_own_sales_and_no_deposit(depot: Depot) -> None:
    depot.top_up(100_000)
    one, other = depot.reseller(name="Satu"), depot.reseller(name="Dua")
    mine, foreign, own = one.sell(), other.sell(), depot.sell()
    depot.work()
    listed, _ = depot.shop.do(depot.service.sales(one.account, ListPage()))
    assert [sale.id for sale in listed] == [mine.id]
    asked, _ = depot.shop.do(depot.service.sales(one.account, ListPage(), None, other.account))
    assert [sale.id for sale in asked] == [mine.id]
    for made in (foreign, own):
        with pytest.raises(NotFound):
            one.sale(made)
    with pytest.raises(NoDistributor):
        one.view()
    with pytest.raises(NoDistributor):
        depot.shop.do(depot.service.statement(one.account, MONTH))
    every, _ = depot.shop.do(depot.service.sales(depot.account, ListPage()))
    assert [sale.id for sale in every] == [own.id, foreign.id, mine.id]
    only, _ = depot.shop.do(depot.service.sales(depot.account, ListPage(), None, other.account))
    assert [sale.id for sale in only] == [foreign.id]
    depot.check()


def test_same_key_of_distributor_and_reseller_are_two_sales(depot: Depot) -> None:
    depot.top_up(100_000)
    kiosk, other = depot.reseller(), depot.reseller(name="Dua")
    made = [
        seller.sell(count, to="ani@example.id", key="k")
        for count, seller in ((1, depot), (2, kiosk), (3, other))
    ]
    assert len({sale.id for sale in made}) == 3
    assert kiosk.sell(2, to="ani@example.id", key="k").id == made[1].id
    depot.work()
    depot.check()


def test_sale_beyond_daily_limit_is_refused(depot: Depot) -> None:
    depot.top_up(200_000)
    kiosk = depot.reseller(3 * UNIT)
    kiosk.sell(2)
    with pytest.raises(ResellerDaySpent) as refused:
        kiosk.sell(2, to="nobody-knows@example.id")
    assert not depot.shop.rows("SELECT 1 FROM email_directory WHERE email LIKE 'nobody-knows%%'")
    assert refused.value.facts() == {"day_rupiah": 3 * UNIT}
    kiosk.sell(1)
    depot.sell(2)
    depot.work()
    depot.check()


def test_limit_is_open_again_on_the_next_day_and_after_a_sale_that_ended(depot: Depot) -> None:
    depot.top_up(10_000)
    kiosk = depot.reseller(UNIT)
    made = kiosk.sell()
    depot.work()
    with pytest.raises(ResellerDaySpent):
        kiosk.sell()
    depot.pass_time(100_000)
    depot.shop.do(depot.service.end_due())
    depot.lapse()
    assert kiosk.sale(made).state == "lapsed"
    kiosk.sell()
    depot.work()
    depot.check()


async def _raced(selling: list[Coroutine[Any, Any, Any]]) -> list[str]:
    found = await asyncio.gather(*selling, return_exceptions=True)
    told = list[str]()
    for one in found:
        if isinstance(one, Refusal):
            told.append(one.code)
        elif isinstance(one, BaseException):
            raise one
        else:
            told.append(one.state)
    return sorted(told)


def test_last_rupiah_is_sold_by_exactly_one_of_two_resellers(depot: Depot) -> None:
    depot.top_up(20_000)
    sellers = [depot.reseller(name="Satu"), depot.reseller(name="Dua")]
    found = depot.shop.do(_raced([one.selling() for one in sellers for _ in range(4)]))
    assert found == ["paid"] + ["waiting"] * 7
    depot.work()
    assert depot.balance == 20_000 - UNIT
    depot.check()


def test_concurrent_sales_stay_within_the_limit(depot: Depot) -> None:
    depot.top_up(1_000_000)
    kiosk = depot.reseller(3 * UNIT)
    found = depot.shop.do(_raced([kiosk.selling() for _ in range(8)]))
    assert found == ["paid"] * 3 + ["reseller_day_spent"] * 5
    depot.work()
    depot.check()


def test_reseller_ended_during_sale_has_sold_or_is_refused(depot: Depot) -> None:
    depot.top_up(1_000_000)
    kiosk = depot.reseller()

    async def race() -> list[str]:
        end = depot.resellers.end(depot.account, kiosk.account, actor=TESTER)
        return await _raced([*(kiosk.selling() for _ in range(6)), end])

    found = depot.shop.do(race())
    assert set(found) <= {"paid", "reseller_not_open", "ended"}
    with pytest.raises(ResellerNotOpen):
        kiosk.sell()
    depot.work()
    sold = found.count("paid")
    assert depot.states() == ["executed"] * sold
    assert depot.balance == 1_000_000 - sold * UNIT
    depot.check()


def test_waiting_sale_of_ended_reseller_is_paid(depot: Depot) -> None:
    depot.top_up(10_000)
    kiosk = depot.reseller()
    made = kiosk.sell(key="k", to="ani@example.id")
    depot.work()
    depot.shop.do(depot.resellers.end(depot.account, kiosk.account, actor=TESTER))
    depot.top_up(10_000)
    assert kiosk.sale(made).state == "executed"
    assert kiosk.sell(key="k", to="ani@example.id").id == made.id
    depot.check()


# -- one level -------------------------------------------------------------------------------------


def test_reseller_has_no_resellers_and_distributor_is_no_reseller(depot: Depot) -> None:
    kiosk, other = depot.reseller(), second(depot)
    terms = ResellerTerms("Cucu", 0, 10_000)
    with pytest.raises(NoDistributor):
        depot.shop.do(depot.resellers.invite(kiosk.account, other.account, terms, actor=TESTER))
    depot.shop.do(depot.resellers.invite(depot.account, other.account, terms, actor=TESTER))
    with pytest.raises(SellsAlready):
        other.accept(depot)
    with pytest.raises(Malformed):
        depot.shop.do(depot.resellers.invite(depot.account, depot.account, terms, actor=TESTER))
    with pytest.raises(SellsAlready):
        kiosk.pull(levers.APPROVE, kiosk.terms())
    depot.check()


def test_database_has_one_level_one_distributor_and_one_bound(depot: Depot) -> None:
    kiosk, stranger = depot.reseller(), new_id()
    for name, statement, *given in (
        (
            "reseller_has_a_distributor",
            "INSERT INTO resellers (account_id, reseller_id, name, fee, day_rupiah, distributor_fee, fees_max)"
            " VALUES (%s, %s, 'x', 0, 1, 0, 1)",
            kiosk.account,
            stranger,
        ),
        (
            "selling_accounts_pkey",
            "INSERT INTO selling_accounts (account_id, distributor_id) VALUES (%s, %s)",
            kiosk.account,
            stranger,
        ),
        (
            "reseller_is_another",
            "UPDATE resellers SET reseller_id = account_id WHERE account_id = %s",
            depot.account,
        ),
        (
            "fees_are_within_their_bound",
            "UPDATE resellers SET fee = fees_max WHERE account_id = %s",
            depot.account,
        ),
    ):
        with pytest.raises(psycopg.IntegrityError) as broken:
            depot.shop.arrange(statement, *given)
        assert broken.value.diag.constraint_name == name
    depot.check()


def test_account_sells_for_one_distributor_until_that_ends(depot: Depot) -> None:
    depot.top_up(100_000)
    other = second(depot)
    other.top_up(100_000)
    kiosk = depot.reseller()
    first = kiosk.sell()
    terms = ResellerTerms("Kios", 0, 10**6)
    depot.shop.do(depot.resellers.invite(other.account, kiosk.account, terms, actor=TESTER))
    with pytest.raises(SellsAlready):
        kiosk.accept(other)
    depot.shop.do(depot.resellers.end(depot.account, kiosk.account, actor=TESTER))
    kiosk.accept(other)
    made = kiosk.sell()
    depot.work()
    assert (depot.balance, other.balance) == (100_000 - UNIT,) * 2
    with pytest.raises(NotFound):
        depot.sale(made)
    assert depot.sale(first).state == "executed"
    depot.shop.do(depot.resellers.invite(depot.account, kiosk.account, terms, actor=TESTER))
    with pytest.raises(SellsAlready):
        kiosk.accept(depot)
    depot.check()


# -- terms by a distributor ------------------------------------------------------------------------


def test_invited_or_paused_reseller_sells_nothing(depot: Depot) -> None:
    depot.top_up(100_000)
    kiosk = depot.invite()
    with pytest.raises(SellerNotOpen):
        kiosk.sell()
    kiosk.accept(depot)
    kiosk.accept(depot)
    terms = ResellerTerms("Kios", 0, 10_000)
    with pytest.raises(AlreadyReseller):
        depot.shop.do(depot.resellers.invite(depot.account, kiosk.account, terms, actor=TESTER))
    depot.shop.do(depot.resellers.pause(depot.account, kiosk.account, actor=TESTER))
    with pytest.raises(ResellerNotOpen):
        kiosk.sell()
    with pytest.raises(ResellerNotOpen):
        kiosk.sell(to="nobody-knows@example.id")
    assert not depot.shop.rows("SELECT 1 FROM email_directory WHERE email LIKE 'nobody-knows%%'")
    depot.shop.do(depot.resellers.resume(depot.account, kiosk.account, actor=TESTER))
    kiosk.sell()
    depot.work()
    depot.check()


def test_changed_limit_holds_from_the_next_sale_on(depot: Depot) -> None:
    depot.top_up(200_000)
    kiosk = depot.reseller(10 * UNIT)
    kiosk.sell(2)
    terms = ResellerTerms("Kios Budi", 0, 2 * UNIT)
    depot.shop.do(depot.resellers.change(depot.account, kiosk.account, terms, actor=TESTER))
    with pytest.raises(ResellerDaySpent):
        kiosk.sell()
    depot.shop.do(depot.resellers.end(depot.account, kiosk.account, actor=TESTER))
    with pytest.raises(NotAllowedNow):
        depot.shop.do(depot.resellers.change(depot.account, kiosk.account, terms, actor=TESTER))
    depot.check()


def test_sum_of_fees_stays_within_bound_whoever_sets_them(depot: Depot) -> None:
    with pytest.raises(FeesTooHigh) as refused:
        depot.reseller(fee=9_500)
    assert refused.value.facts() == {"fees": "Rp10.500", "fees_max": "Rp10.000"}
    kiosk = depot.reseller(fee=9_000)
    with pytest.raises(FeeOfResellerOnTop) as dear:
        depot.pull_terms(Short.WAIT, fee=1_001)
    assert dear.value.facts() == {
        "reseller": show("acc", kiosk.account),
        "fees": "Rp10.001",
        "fees_max": "Rp10.000",
    }
    depot.shop.do(depot.resellers.end(depot.account, kiosk.account, actor=TESTER))
    depot.pull_terms(Short.WAIT, fee=1_001)
    terms = ResellerTerms("Kios", 9_000, 10_000)
    with pytest.raises(FeesTooHigh):
        depot.shop.do(depot.resellers.invite(depot.account, kiosk.account, terms, actor=TESTER))
    depot.check()


def test_stranger_is_neither_invited_for_another_nor_accepts_unasked(depot: Depot) -> None:
    other = second(depot)
    kiosk = depot.reseller()
    terms = ResellerTerms("Kios", 0, 10_000)
    with pytest.raises(NotFound):
        depot.shop.do(depot.resellers.end(other.account, kiosk.account, actor=TESTER))
    with pytest.raises(NotFound):
        depot.shop.do(depot.resellers.change(other.account, kiosk.account, terms, actor=TESTER))
    with pytest.raises(NotFound):
        Depot(depot.shop).accept(depot)
    with pytest.raises(NotFound):
        depot.shop.do(depot.resellers.invite(depot.account, new_id(), terms, actor=TESTER))
    depot.check()


def test_reseller_that_leaves_may_be_invited_again(depot: Depot) -> None:
    depot.top_up(100_000)
    kiosk = depot.reseller()
    depot.shop.do(depot.resellers.end(depot.account, kiosk.account, actor=TESTER))
    depot.shop.do(depot.resellers.end(depot.account, kiosk.account, actor=TESTER))
    assert depot.shop.do(depot.resellers.offers(kiosk.account)) == []
    terms = ResellerTerms("Kios Baru", 0, UNIT)
    depot.shop.do(depot.resellers.invite(depot.account, kiosk.account, terms, actor=TESTER))
    assert kiosk.accept(depot).name == "Kios Baru"
    kiosk.sell()
    depot.work()
    depot.check()


# -- the statement ---------------------------------------------------------------------------------


def test_sold_sums_of_resellers_equal_legs_of_their_sales(depot: Depot) -> None:
    depot.top_up(200_000)
    one, other = depot.reseller(name="Satu"), depot.reseller(name="Dua")
    made = one.sell(3)
    other.sell(2)
    depot.sell(1)
    depot.work()
    with Depot(depot.shop, depot.buyer(made)).acting():
        depot.shop.ask_back(read("ord", made.order))
    depot.work()
    depot.give_back()
    found = {
        seller.account: depot.shop.do(depot.resellers.sold_by(seller.account, MONTH))
        for seller in (one, other)
    }
    assert (found[one.account].sold, found[one.account].returned) == (3 * UNIT, 3 * UNIT)
    for account, told in found.items():
        [legs] = depot.shop.rows(
            "SELECT sum(l.debit)::bigint AS sold, sum(l.credit)::bigint AS returned FROM legs l"
            " JOIN entries e USING (account_id, entry_id) JOIN sales s ON s.sale_id = e.subject"
            " WHERE l.book = 'deposits' AND s.reseller_id = %s",
            account,
        )
        assert (told.sold, told.returned) == (legs["sold"], legs["returned"])
        assert sum(day.sold for day in told.days) == told.sold
        assert depot.shop.do(depot.resellers.sold(depot.account, account, MONTH)) == told
    statement = depot.shop.do(depot.service.statement(depot.account, MONTH))
    assert -sum(day.sold for day in statement.days) == UNIT + sum(t.sold for t in found.values())
    depot.check()


def test_table_of_sales_contains_sales_of_the_caller(depot: Depot) -> None:
    depot.top_up(200_000)
    kiosk = depot.reseller()
    kiosk.sell(1, reference="=1+1")
    depot.sell(2)
    depot.work()

    def table(account: Depot, language: str = "id") -> list[str]:
        async def take() -> bytes:
            pieces = await depot.service.table(account.account, MONTH, language)
            return b"".join([piece async for piece in pieces])

        return depot.shop.do(take()).decode("utf-8-sig").splitlines()

    whole, mine = table(depot), table(kiosk, "en")
    assert (len(whole), len(mine)) == (3, 2)
    assert f"Kios Ani;1;{UNIT};selesai" in whole[1]
    assert "'=1+1" in mine[1]
    assert "executed" in mine[1]
    depot.check()


# -- mails to it -----------------------------------------------------------------------------------


def test_account_is_mailed_about_invitation_and_end(
    depot: Depot,
) -> None:
    def mails() -> list[tuple[str, UUID, str]]:
        rows = depot.shop.rows(
            "SELECT template, account_id, facts->>'name' AS name FROM mails WHERE template LIKE 'reselling%%' ORDER BY mail_id"
        )
        return [(row["template"], row["account_id"], row["name"]) for row in rows]

    depot.top_up(100_000)
    kiosk = depot.reseller()
    invited = ("reselling_invited", kiosk.account, SELLER)
    assert mails() == [invited]
    depot.shop.do(depot.resellers.end(depot.account, kiosk.account, actor=TESTER))
    depot.shop.do(depot.resellers.end(depot.account, kiosk.account, actor=TESTER))
    ended = ("reselling_ended", kiosk.account, SELLER)
    assert mails() == [invited, ended]
    # Changed terms of an offer, a withdrawn offer, and the reseller's own departure send no mail.
    for _ in range(2):
        terms = ResellerTerms("Kios Ani", 500, 50_000)
        depot.shop.do(depot.resellers.invite(depot.account, kiosk.account, terms, actor=TESTER))
    depot.shop.do(depot.resellers.end(depot.account, kiosk.account, actor=TESTER))
    assert mails() == [invited, ended, invited]
    other = depot.reseller(name="Dua")
    depot.shop.do(depot.resellers.leave(depot.account, other.account, actor=TESTER))
    assert mails()[3:] == [("reselling_invited", other.account, SELLER)]
    depot.work()
    depot.check()
