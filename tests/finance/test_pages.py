"""Pages of finance: overview, reports and their files, closes, payouts, and access."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from meterai.finance.pages import SCOPES
from meterai.kit.days import Month, day_of, last_settled
from meterai.plumbing.messages import translate
from tests.console.conftest import Floor
from tests.regulator.test_pages import sold
from tests.support.walk_in import WalkIn, fields
from tests.support.within import browsed, settings_of

HERE = "/console/finance"


@pytest.fixture
def floor(database_url: str, tmp_path: Path) -> Iterator[Floor]:
    with browsed(settings_of(database_url, tmp_path)) as client:
        yield Floor(WalkIn(client), database_url)


def month() -> Month:
    return Month.of(day_of(datetime.now(UTC)))


def compared(floor: Floor) -> None:
    """Pretend that the bank's record of every day until now was compared."""
    with psycopg.connect(floor.url) as owner:
        owner.execute(
            "INSERT INTO record_days (provider, day, state, source, leased_until, ended_at)"
            " SELECT 'bank', (now() AT TIME ZONE 'Asia/Jakarta')::date - n, 'final', 'history', now(), now()"
            " FROM generate_series(1, 30) n ON CONFLICT DO NOTHING"
        )


def test_overview_links_every_page_and_is_in_the_menu(floor: Floor) -> None:
    floor.seat("finance")
    sold(floor, 1)
    shown = floor.walk_in.get(HERE)
    for path in (f"{HERE}/closes", f"{HERE}/payouts", f"{HERE}/months/{month()}"):
        assert f'href="{path}"' in shown
        assert floor.get(path).status_code == 200, path
    assert f'href="{HERE}"' in floor.walk_in.get("/console")
    day = last_settled(datetime.now(UTC))
    assert f'href="/console/levers/finance.close?day={day}"' in shown
    form = floor.walk_in.get(f"/console/levers/finance.close?day={day}")
    assert f'value="{day}"' in form
    assert "Rp10.000" in shown


@pytest.mark.parametrize("language", ["id", "en"])
def test_month_is_shown_and_downloaded(floor: Floor, language: str) -> None:
    floor.seat("finance")
    sold(floor, 0)
    path = f"{HERE}/months/{month()}"
    floor.walk_in.client.cookies.set("language", language)
    shown = floor.walk_in.client.get(path).text
    for table in ("trial", "balances", "providers", "taxes", "channels", "channel_days", "ageing"):
        assert translate(f"finance.table.{table}", language) in shown
    for name in (
        "trial-balance",
        "books",
        "providers",
        "taxes",
        "channels",
        "channel-days",
        "refunds",
    ):
        given = floor.walk_in.client.get(f"{path}?file={name}")
        assert given.headers["content-type"].startswith("text/csv")
        assert given.text.count("\r\n") >= 1
    book = floor.walk_in.client.get(f"{path}?file=xlsx")
    names = zipfile.ZipFile(io.BytesIO(book.content)).namelist()
    assert sum(one.startswith("xl/worksheets/") for one in names) == 7
    assert floor.walk_in.client.get(f"{path}?file=nothing").status_code == 404


def test_statement_is_requested_by_form_and_downloaded_completely(floor: Floor) -> None:
    floor.seat("finance")
    for number in range(60):  # 240 legs, of which 200 are shown
        sold(floor, 0, number)
    path = f"{HERE}/statement?scope=month&of={month()}"
    shown = floor.walk_in.get(path)
    assert translate("page.finance_report.cut", "en", count=200) in shown
    assert shown.count("issued:") == 200
    given = floor.walk_in.client.get(f"{path}&file=lines")
    assert given.text.count("issued:") == 240
    for scope in SCOPES:
        assert f'<option value="{scope}"' in shown


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/months/2026-13", 404),
        ("/closes/2020-01-01.json", 404),
        ("/closes/2020-01-01.txt", 404),
        ("/closes/today.json", 422),
        ("/statement?scope=order&of=ord_x", 404),
        ("/statement?scope=account&of=nobody@example.id", 404),
        ("/statement?scope=day&of=2026-02-30", 422),
        ("/statement?scope=nothing&of=x", 422),
        ("/statement", 422),
        ("/statement?scope=provider&of=-&from=yesterday", 422),
    ],
)
def test_page_of_unknown_thing_is_refused(floor: Floor, path: str, status: int) -> None:
    floor.seat("finance")
    assert floor.walk_in.client.get(f"{HERE}{path}").status_code == status


def test_day_is_closed_on_page_and_its_files_are_downloaded(floor: Floor) -> None:
    floor.seat("finance")
    sold(floor, 1)
    day = last_settled(datetime.now(UTC))
    lever = "/console/levers/finance.close"
    compared(floor)
    typed = floor.form(lever, "argument-day", f"{lever}?day={day}")
    assert typed["argument-day"] == str(day)
    form = typed | {"reason": "all is explained", "do": "forecast"}
    forecast = floor.post(lever, form).text
    assert translate("effect.day_closes_explained", "en") in forecast
    assert floor.post(lever, fields(forecast, lever, "shown") | {"do": "pull"}).status_code == 303
    listed = floor.walk_in.get(f"{HERE}/closes")
    for ending in ("json", "jsonl"):
        assert f'href="{HERE}/closes/{day}.{ending}"' in listed
        assert floor.get(f"{HERE}/closes/{day}.{ending}").status_code == 200
    assert len(floor.get(f"{HERE}/closes/{day}.jsonl").text.splitlines()) == 1
    assert translate("page.finance.closed", "en", day=day) in floor.walk_in.get(HERE)


def test_finance_pages_need_the_role_finance(floor: Floor) -> None:
    for role, status in (("support", 403), ("regulator", 403), ("finance", 200)):
        floor.seat(role)
        for path in (HERE, f"{HERE}/closes", f"{HERE}/payouts", f"{HERE}/months/{month()}"):
            assert floor.get(path).status_code == status, (role, path)
    assert floor.get("/finance/key.pem").text.startswith("-----BEGIN PUBLIC KEY-----")


def test_books_of_a_statement_are_positive_on_their_normal_side(floor: Floor) -> None:
    floor.seat("finance")
    sold(floor, 1)
    shown = floor.walk_in.get(f"{HERE}/statement?scope=month&of={month()}")
    rows = [re.findall(r"<td[^>]*>([^<]*)", row) for row in shown.split("<tr>")]
    closing = {row[0]: row[-1] for row in rows if len(row) == 7}
    assert (closing["stamps_issued"], closing["stamps_available"]) == ("1", "1")
    assert closing["duty_payable"] == "10,000"
