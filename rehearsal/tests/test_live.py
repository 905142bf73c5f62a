"""Figures of a live database equal the acts that a test made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from meterai.apps.program import program_of
from meterai.cases import Matter
from meterai.cases.model import CaseEvent
from meterai.kit.refusal import Malformed
from meterai.plumbing.db import figures
from meterai.plumbing.db.figures import moment
from meterai.plumbing.messages import LANGUAGES, catalogue
from meterai_rehearsal.assessment import charts
from meterai_rehearsal.assessment.assembling import assess
from meterai_rehearsal.assessment.model import LivePart, LivePromise, LiveRow, LiveTable
from meterai_rehearsal.assessment.rendering import html_of
from reports import digits_unmarked, look_up, read_report
from tests.cases.desk import Desk
from tests.support.commands import run_here
from tests.support.live_figures import FIGURES, Rows, counted
from tests.support.shop import FEE, PRICE, Shop

ONE = PRICE + FEE


def lived(shop: Shop) -> dict[str, Rows]:
    """Return all figures of 24 hours around now."""
    now = datetime.now(UTC)
    day = timedelta(days=1)
    return {name: counted(shop, name, now - day, now + day) for name in FIGURES}


def moved(shop: Shop, change: str) -> None:
    """Move an act to another time."""
    shop.arrange(change)


def test_figures_equal_the_acts(shop: Shop) -> None:
    bought = shop.place(3)
    shop.pay(bought)
    shop.work()
    twice = shop.place(1)
    shop.pay(twice)
    shop.work()
    shop.pay(twice)  # the second payment of this order
    shop.work()
    shop.place(2)  # not paid
    gone = shop.place(1)
    shop.give_up(gone, "withdrawn")
    documents = shop.place_documents([1, 1])
    shop.pay(documents)
    shop.work()
    for stamping in shop.stampings[:1]:
        shop.deliver(stamping)
    shop.fail(shop.stampings[1])
    shop.work()
    found = lived(shop)
    assert found["sales"]["stamps"] == {
        "placed": 4,
        "paid": 2,
        "executed": 2,
        "stamps": 4,
        "sold_rupiah": 4 * ONE,
        "given_back": 0,
        "denied": 0,
        "unpaid": 1,
    }
    assert found["sales"]["documents"]["paid"] == 1
    [money] = found["money"].values()
    # The unstampable document and the second payment are being refunded.
    assert money["captured_rupiah"] == 3 * ONE + 2 * ONE + 2 * ONE
    assert money["executed_rupiah"] == 3 * ONE + ONE + ONE
    assert money["in_flight_rupiah"] == 2 * ONE
    assert money["refunded_rupiah"] == 0
    assert {name: one["requested_rupiah"] for name, one in found["refunds"].items()} == {
        "double": ONE,
        "not_stamped": ONE,
    }
    assert all(one["open"] == 1 for one in found["refunds"].values())
    assert all(one["longest_seconds"] is None for one in found["refunds"].values())
    assert found["stampings"]["order"]["stamped"] == 1
    assert found["stampings"]["order"]["failed"] == 1
    assert sum(one["payments"] or 0 for one in found["payments"].values()) == 4
    assert sum(one["paid_rupiah"] or 0 for one in found["payments"].values()) == 7 * ONE


def test_settled_refund_has_its_time(shop: Shop) -> None:
    order = shop.place(1)
    shop.pay(order)
    shop.work()
    shop.ask_back(order)
    [refund] = shop.refunds()
    shop.send(refund)
    shop.settle(refund)
    moved(shop, "UPDATE refunds SET requested_at = settled_at - interval '90 seconds'")
    found = lived(shop)["refunds"]["asked"]
    assert found["settled"] == 1
    assert found["settled_rupiah"] == ONE
    assert found["half_seconds"] == found["longest_seconds"] == 90.0
    assert found["open"] == 0
    [money] = lived(shop)["money"].values()
    assert money["refunded_rupiah"] == ONE
    assert money["captured_rupiah"] == ONE
    assert money["in_flight_rupiah"] == 0


def test_waits_are_of_executed_orders(shop: Shop) -> None:
    order = shop.place(1)
    shop.pay(order)
    shop.work()
    shop.set_issuing(is_open=False)
    shop.pay(shop.place(1))
    shop.work()
    moved(
        shop,
        "UPDATE orders SET paid_at = closed_at - interval '30 seconds',"
        " due_at = closed_at - interval '10 seconds' WHERE state = 'executed'",
    )
    [found] = lived(shop)["waits"].values()
    assert (found["executed"], found["waiting"]) == (1, 1)
    assert found["longest_seconds"] == 30.0
    assert found["late"] == 1


def test_period_includes_begin_and_excludes_end(shop: Shop) -> None:
    order = shop.place(1)
    [row] = shop.rows("SELECT placed_at FROM orders WHERE order_id = %s", order)
    at, second = row["placed_at"], timedelta(seconds=1)
    assert counted(shop, "sales", at, at + second)["stamps"]["placed"] == 1
    assert counted(shop, "sales", at - second, at) == {}


def test_empty_period_has_no_counts(shop: Shop) -> None:
    assert shop.rows("SELECT 1 FROM orders") == []
    for name, rows in lived(shop).items():
        for of, row in rows.items():
            assert not any(row.values()), (name, of)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_has_its_messages(shop: Shop, language: str) -> None:
    shop.pay(shop.place(1))
    shop.work()
    for name, rows in lived(shop).items():
        assert catalogue()[f"figures.{name}"][language]
        for row in rows.values():
            for column in row:
                assert catalogue()[f"figures.{name}.{column}"][language]


@pytest.mark.parametrize("given", ["", "yesterday", "2024-13-01", "999999999"])
def test_invalid_day_is_refused(given: str) -> None:
    with pytest.raises(Malformed):
        moment(given, "FROM")


def test_day_begins_in_wib() -> None:
    assert moment("2024-09-01", "FROM") == datetime(2024, 8, 31, 17, tzinfo=UTC)
    assert moment("2024-09-01T08:00+00:00", "FROM") == datetime(2024, 9, 1, 8, tzinfo=UTC)


LIVE = LivePart(
    datetime(2024, 8, 31, 17, tzinfo=UTC),
    datetime(2024, 9, 30, 17, tzinfo=UTC),
    datetime(2024, 10, 1, tzinfo=UTC),
    "https://meterai.example",
    True,
    (
        LiveTable(
            "refunds",
            (
                LiveRow(
                    "double",
                    "figures.refunds.of.double",
                    {"requested": 1_234, "requested_rupiah": 10_500, "half_seconds": None},
                ),
                LiveRow(
                    "asked",
                    "figures.refunds.of.asked",
                    {"requested": 0, "requested_rupiah": 0, "half_seconds": 90.0},
                ),
            ),
        ),
        LiveTable("lines", ()),
    ),
    (
        LivePromise("2", "money_is_back_in_time", 1_234, 1, "SELECT 12 < 34"),
        LivePromise("4", "serial_is_on_one_document", 0, 0, "SELECT 5"),
    ),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_report_shows_every_live_figure_with_its_source(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charts, "drawn", lambda _chart, title: title)
    report = read_report(html_of(assess((), None, 2.0, None, LIVE), language))
    assert digits_unmarked(report) == []
    ours = [one for one in report.marked if one.path.startswith("live.tables")]
    assert {one.text for one in ours} >= {"Rp10.500", "1.234" if language == "id" else "1,234"}
    for one in ours:
        if one.value is not None:
            assert float(one.value) == float(look_up(report.data, one.path)), one
    assert catalogue()["figures.refunds.of.double"][language] in report.text
    assert catalogue()["promise.money_is_back_in_time"][language] in report.text
    assert catalogue()["assess.live.kept.no"][language] in report.text
    assert catalogue()["assess.live.kept.none"][language] in report.text
    assert "SELECT 12 < 34" in report.text
    assert "figures." not in report.text
    assert "assess." not in report.text


def test_command_reports_figures_of_database(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.pay(shop.place(2))
    shop.work()
    monkeypatch.setattr(charts, "drawn", lambda _chart, title: title)
    day = timedelta(days=1)
    now = datetime.now(UTC)
    period = [(now - day).isoformat(), (now + day).isoformat()]
    out = tmp_path / "out"
    done = run_here(
        tmp_path,
        "assess",
        "--live",
        *period,
        "--out",
        str(out),
        "--lang",
        "en",
        METERAI_DATABASE_URL=shop.container.database.url,
    )
    assert done.returncode == 0, done.stderr
    text = read_report((out / "assessment.html").read_text())
    assert f"Rp{2 * ONE:,}".replace(",", ".") in text.text
    live = msgspec.json.decode(text.json_text)["live"]
    assert [one["name"] for one in live["tables"]] == list(FIGURES)
    assert (out / "assessment.pdf").stat().st_size > 10_000


def test_period_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    done = run_here(
        tmp_path, "assess", "--live", "2024-09-02", "2024-09-01", "--out", str(tmp_path / "out")
    )
    assert done.returncode != 0
    assert "TO" in done.stdout + done.stderr


def test_complaints_are_counted_by_matter_and_kind_of_answer(shop: Shop) -> None:
    desk = Desk(shop)
    desk.complain(Matter.PAID_NOT_EXECUTED, desk.executed())
    waiting = desk.complain(Matter.SOMETHING_ELSE)
    moved(shop, "UPDATE cases SET due_at = now() - interval '1 hour' WHERE state = 'open'")
    found = lived(shop)["cases"]
    answered = found["paid_not_executed"]
    assert (answered["told"], answered["from_facts"], answered["from_facts_share"]) == (1, 1, 1)
    assert answered["longest_seconds"] is not None
    other = found["something_else"]
    assert (other["told"], other["from_facts"], other["waiting"]) == (1, 0, 1)
    assert other["half_seconds"] is None
    desk.act(waiting, CaseEvent.ANSWERED)
    moved(shop, "UPDATE cases SET opened_at = opened_at - interval '10 minutes'")
    other = lived(shop)["cases"]["something_else"]
    assert other["waiting"] == 0
    assert 590 < (other["longest_seconds"] or 0) < 700


PROMISES = {one.name: one for one in program_of().promises}


def kept(shop: Shop) -> dict[str, tuple[int, int]]:
    """Return cases and violations of each promise, in the day around now."""
    now, day = datetime.now(UTC), timedelta(days=1)

    async def look() -> dict[str, tuple[int, int]]:
        async with shop.container.database.reading() as tx:
            asked = [
                (one.name, await figures.ask_promise(tx, one, now - day, now + day))
                for one in PROMISES.values()
            ]
            return {name: (found.asked, found.broken) for name, found in asked}

    return shop.do(look())


def test_promises_hold_without_faults(shop: Shop) -> None:
    Desk(shop).executed()
    order = shop.placed[0]
    stamping = shop.reserve(1)
    assert stamping is not None
    shop.deliver(stamping)
    shop.ask_back(order)
    found = kept(shop)
    for name in ("rupiah_has_one_state", "stamp_is_not_burned", "stamp_can_be_checked"):
        assert found[name][0] > 0, name
    assert {name for name, (_, broken) in found.items() if broken} <= {"days_are_audited"}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (
            "UPDATE orders SET due_at = now() - interval '1 hour', closed_at = now()",
            "paid_is_executed_in_time",
        ),
        ("UPDATE refunds SET due_at = now() - interval '1 hour'", "money_is_back_in_time"),
        (
            "UPDATE legs SET credit = credit + 1 WHERE book = 'duty_payable' AND credit > 0",
            "rupiah_has_one_state",
        ),
        ("DELETE FROM deltas", "stamp_can_be_checked"),
        (
            "UPDATE documents SET kept_until = now() - interval '23 hours', forgotten_at = now() + interval '3 hours'",
            "document_is_forgotten",
        ),
        (
            "UPDATE stampings SET state = 'reserved', delivered_at = NULL, sha256_stamped = NULL, due_at = now() - interval '1 hour', leased_until = now()",
            "stamp_is_not_burned",
        ),
    ],
)
def test_broken_promise_is_counted(shop: Shop, change: str, name: str) -> None:
    Desk(shop).executed()
    stamping = shop.reserve(1)
    assert stamping is not None
    shop.deliver(stamping)
    shop.ask_back(shop.placed[0])
    assert kept(shop)[name][1] == 0
    shop.arrange(change)
    asked, broken = kept(shop)[name]
    assert 0 < broken <= asked


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_promise_has_its_messages(language: str) -> None:
    for one in PROMISES.values():
        assert catalogue()[f"promise.{one.promise}"][language]
        assert catalogue()[f"promise.{one.name}"][language]


def test_sales_are_counted_by_channel(shop: Shop) -> None:
    for key in ("frm_00000000000000000000000000", "of-a-program"):
        shop.pay(shop.place(2, key=key))
        shop.work()
    assert lived(shop)["channels"]["page"]["stamps"] == 2
    assert lived(shop)["channels"]["key"]["stamps"] == 2
    shop.arrange(
        "INSERT INTO organizations (account_id, name) SELECT account_id, 'PT Contoh' FROM accounts LIMIT 1"
    )
    assert set(lived(shop)["channels"]) == {"key_of_organization", "page_of_organization"}
