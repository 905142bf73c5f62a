"""Collectors for staff: found, described, and listed while a deposit, an order or a month waits."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from meterai.collectors.knows import CONFIRMED_WITHIN, KNOWS, WORK
from meterai.kit.clock import WIB
from meterai.kit.days import DAY, Month
from meterai.kit.ids import show
from meterai.kit.money import Rupiah
from meterai.kit.subjects import Subject, SubjectKind, WorkItem
from meterai.plumbing.db.database import ReadTx
from tests.collectors.conftest import LIMIT, PRICE, Collecting
from tests.support.collecting import NPWP

NTPN = "0123456789ABCDEF"


def ask(collecting: Collecting, question: Any) -> Any:
    async def look() -> Any:
        async with collecting.shop.container.database.reading() as tx:
            return await question(tx)

    return collecting.shop.do(look())


def listed(collecting: Collecting, name: str, now: datetime | None = None) -> Sequence[WorkItem]:
    [work] = [one for one in WORK if one.name == name]
    settings = collecting.shop.container.settings
    found: Sequence[WorkItem] = ask(
        collecting, lambda tx: work.waiting(tx, settings, now or datetime.now(UTC), 10)
    )
    return found


def about(collecting: Collecting) -> Subject:
    return Subject(SubjectKind.ACCOUNT, show("acc", collecting.account), collecting.account)


@pytest.mark.parametrize("text", ["PT Pungut", "pt pungut", NPWP, "01.234.567.8-901.234"], ids=str)
def test_collector_is_found_by_name_and_by_npwp(collecting: Collecting, text: str) -> None:
    async def find(tx: ReadTx) -> None:
        assert list(await KNOWS.find(tx, text, 10)) == [about(collecting)]
        assert not list(await KNOWS.find(tx, f"{text}x", 10))

    ask(collecting, find)


def test_timeline_of_collector_has_terms_deposits_and_returns(collecting: Collecting) -> None:
    collecting.draw(3)
    collecting.work()
    collecting.was_drawn(1)
    month = collecting.months_ago(1)
    collecting.confirm(3 * PRICE, month, NTPN)
    today = collecting.service.today()
    collecting.shop.do(
        collecting.service.report(collecting.account, month, "BPE-1", today, collecting.actor)
    )

    async def tell(tx: ReadTx) -> None:
        told = {one.word: one.facts for one in await KNOWS.tell(tx, about(collecting))}
        assert list(told) == ["collector_agreed", "collector_deposit", "collector_filed"]
        assert told["collector_agreed"]["limit"] == Rupiah(LIMIT)
        assert told["collector_deposit"]["ntpn"] == NTPN
        assert told["collector_filed"] == {"month": str(month), "receipt": "BPE-1"}
        buyer = collecting.shop.account
        assert not await KNOWS.tell(tx, Subject(SubjectKind.ACCOUNT, show("acc", buyer), buyer))

    ask(collecting, tell)


def test_reported_deposit_is_in_work_list_until_confirmed(collecting: Collecting) -> None:
    collecting.draw(3)
    collecting.work()
    collecting.was_drawn(1)
    month, today = collecting.months_ago(1), collecting.service.today()
    assert not listed(collecting, "collector_deposits")
    collecting.shop.do(
        collecting.service.tell_deposit(
            collecting.account, NTPN, month, 3 * PRICE, today, collecting.actor
        )
    )
    [item] = listed(collecting, "collector_deposits")
    assert item.about == about(collecting)
    assert item.due == item.since + CONFIRMED_WITHIN
    assert (item.facts["ntpn"], item.facts["rupiah"]) == (NTPN, Rupiah(3 * PRICE))
    collecting.confirm(3 * PRICE, month, NTPN)
    assert not listed(collecting, "collector_deposits")


def test_ended_month_is_in_work_list_until_deposited(
    collecting: Collecting,
) -> None:
    collecting.draw(3)
    collecting.work()
    assert not listed(collecting, "collector_months"), "the month is not over"
    collecting.was_drawn(1)
    month = collecting.months_ago(1)
    last = collecting.service.dates(month).deposit_by
    for days, left, late in ((4, "4", ""), (0, "0", ""), (-3, "", "3")):
        day = last - days * DAY
        now = datetime(day.year, day.month, day.day, 12, tzinfo=WIB)
        [item] = listed(collecting, "collector_months", now)
        assert (item.facts["left"], item.facts["late"]) == (left, late)
        assert item.due is not None
        assert (item.due < now) == bool(late)
        assert (item.facts["month"], item.facts["rupiah"]) == (str(month), Rupiah(3 * PRICE))
    before = datetime.combine(Month.of(month.last).first, datetime.min.time(), WIB)
    assert not listed(collecting, "collector_months", before)
    collecting.confirm(PRICE, month)
    [item] = listed(collecting, "collector_months")
    assert item.facts["rupiah"] == Rupiah(2 * PRICE)
    collecting.confirm(2 * PRICE, month)
    assert not listed(collecting, "collector_months")
