"""Resellers: one level below a distributor, within a daily limit, without access to the distributor's data."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

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
from meterai.kit.paging import ListPage
from meterai.kit.refusal import Malformed, NotFound, Refusal
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


# -- mails to it -----------------------------------------------------------------------------------
