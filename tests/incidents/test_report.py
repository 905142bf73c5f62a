"""The report of an incident: figures equal to the books, on the page and in the PDF."""

import io
from datetime import UTC, datetime, timedelta

import pikepdf
import pytest

from meterai import incidents
from meterai.incidents import Incident, IncidentState, IncidentUnknown
from meterai.incidents.report import IncidentReport, Reports, sections
from meterai.plumbing.db.database import Tx
from meterai.sealing import Issuers, Verdict, verify
from tests.cases.desk import Desk
from tests.incidents.records import TOLD, opened, updated
from tests.support.shop import FEE, PRICE, TESTER, Shop

ONE = PRICE + FEE


def reports(shop: Shop) -> Reports:
    return shop.container.of(Reports)


def night(shop: Shop) -> Incident:
    """An incident of an hour in which one order was executed, one was refunded, and one still waits."""
    now = datetime.now(UTC)
    made = opened(shop, started_at=now - timedelta(minutes=1), at=now)
    desk = Desk(shop)
    desk.executed(2)
    late, waits = desk.paid_while_stopped(), desk.paid_while_stopped()
    shop.arrange("UPDATE orders SET due_at = now() - interval '1 second' WHERE order_id = %s", late)
    shop.refund_overdue(late)
    assert shop.state(waits) == "paid"
    return updated(shop, made, IncidentState.RESOLVED, at=datetime.now(UTC))


def reviewed(shop: Shop, of: Incident, changed: str = "The server was replaced.") -> None:
    async def act(tx: Tx) -> None:
        await incidents.review(
            tx, of.id, "Server diganti.", changed, at=datetime.now(UTC), actor=TESTER
        )

    shop.do(shop.container.database.run(act))
    shop.work()


def published(shop: Shop, of: Incident) -> tuple[Incident, IncidentReport]:
    return shop.do(reports(shop).of(of.id, for_staff=False))


def test_report_accounts_for_each_rupiah_as_the_books_do(shop: Shop) -> None:
    made = night(shop)
    desk = Desk(shop)
    shop.set_issuing(is_open=True)
    after = desk.executed(5)
    assert shop.state(after) == "executed", "what was paid after the incident is none of it"
    reviewed(shop, made)
    _, found = published(shop, made)
    assert (found.orders, found.buyers, found.executed) == (3, 1, 1)
    assert (found.waiting, found.given_back, found.denied) == (1, 1, 0)
    assert found.captured_rupiah == 4 * ONE
    assert found.executed_rupiah == 2 * ONE
    assert found.refunded_rupiah + found.in_flight_rupiah == 2 * ONE
    assert (
        found.captured_rupiah - found.charged_back_rupiah + found.loss_rupiah
        == found.executed_rupiah + found.refunded_rupiah + found.in_flight_rupiah
    )
    assert found.median_seconds is not None
    shop.assert_books_hold()


def test_report_is_for_staff_until_it_is_reviewed(shop: Shop) -> None:
    made = night(shop)
    with pytest.raises(IncidentUnknown):
        published(shop, made)
    _, drafted = shop.do(reports(shop).of(made.id, for_staff=True))
    reviewed(shop, made)
    _, found = published(shop, made)
    assert drafted.orders == found.orders
    reviewed(shop, made, "The server, and the cable.")
    again, _ = published(shop, made)
    assert again.changed["en"] == "The server, and the cable."


@pytest.mark.parametrize("language", ["id", "en"])
def test_report_pdf_is_sealed_tagged_and_equals_the_page(shop: Shop, language: str) -> None:
    made = night(shop)
    reviewed(shop, made)
    incident, found = published(shop, made)
    content = shop.do(reports(shop).sealed(incident, found, language))
    issuer = shop.container.of(Issuers).current
    assert issuer.claim_key is not None
    judged = verify(
        content,
        [issuer.root],
        at=datetime.now(UTC),
        claim_keys={issuer.claim_key.id: issuer.claim_key.public},
        seal_certificates=issuer.chain[:1],
    )
    assert judged.verdict is Verdict.STATEMENT
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == language
    said = sections(incident, found, language)
    lines = [line for _, each in said for line in each]
    lasted = next(line.value for line in lines if line.label in {"Duration", "Berlangsung"})
    assert lasted == {"id": "1 menit", "en": "1 minute"}[language]
    assert any(TOLD.text_en in line.value or TOLD.text_id in line.value for line in lines)
    assert any(line.value == f"Rp{4 * ONE:,}".replace(",", ".") for line in lines)
    assert shop.do(reports(shop).sealed(incident, found, language)) is content
