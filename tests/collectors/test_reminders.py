"""Mails to collectors: on the first, tenth, fourteenth and eighteenth, each once, while something is open."""

from datetime import UTC, datetime, time

import pytest

from meterai.collectors import CollectorService
from meterai.collectors.model import reminder_day
from meterai.kit.clock import WIB
from meterai.kit.days import Month
from tests.collectors.conftest import PRICE, Collecting
from tests.support.lines import MovedClock


@pytest.mark.parametrize(
    ("day", "due"), [(1, 1), (9, 1), (10, 10), (13, 10), (14, 14), (18, 18), (31, 18)]
)
def test_reminder_day_is_the_latest_reached(day: int, due: int) -> None:
    assert reminder_day(datetime(2026, 12, day, tzinfo=WIB).date()) == due


@pytest.mark.parametrize(
    ("at", "month"),
    [
        ("2026-11-30T16:59:59+00:00", "2026-11-01"),  # a second before midnight in Jakarta
        ("2026-11-30T17:00:00+00:00", "2026-12-01"),
    ],
)
def test_month_of_draw_is_in_jakarta_time(collecting: Collecting, at: str, month: str) -> None:
    [row] = collecting.shop.rows("SELECT credit_month(%s::timestamptz)::text AS month", at)
    assert row["month"] == month


def mails(collecting: Collecting) -> list[str]:
    rows = collecting.shop.rows(
        "SELECT template FROM mails WHERE template LIKE 'collector%%' ORDER BY mail_id"
    )
    return [row["template"] for row in rows]


def test_collector_with_open_duty_is_reminded_once_each_reminder_day(
    collecting: Collecting,
) -> None:
    collecting.draw(2)
    collecting.work()
    collecting.was_drawn(1)
    clock = MovedClock()
    this_month = Month.of(collecting.service.today())
    container = collecting.shop.container
    service = CollectorService(container.database, container.settings, clock)

    def on(day: int) -> None:
        at = datetime.combine(this_month.first.replace(day=day), time(9), WIB)
        clock.ahead = at - datetime.now(UTC)
        for _ in range(2):
            collecting.shop.do(service.remind())

    on(1)
    assert mails(collecting) == ["collector_deposit"]
    on(5)
    on(10)
    assert mails(collecting) == ["collector_deposit"] * 2
    collecting.confirm(2 * PRICE, collecting.months_ago(1), paid_on=collecting.months_ago(1).last)
    on(14)
    assert mails(collecting) == ["collector_deposit"] * 2 + ["collector_report"]
    on(18)
    assert mails(collecting) == ["collector_deposit"] * 2 + ["collector_report"] * 2
    on(25)
    assert len(mails(collecting)) == 4
