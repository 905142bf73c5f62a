"""Periodic task that resumes stampings, each row independently; and unavailable originals."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from meterai.documents import DocumentForgotten, DocumentUnavailable, content_name
from meterai.orders import OrderKind
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.sealing.pdf.update import Sealed
from meterai.sealing.writing.affixing import affix
from meterai.stamping import StampingService, StampingSettings
from meterai.stamping import service as stamping_service
from meterai.stamping.model import StampingEndedUnstamped
from tests.support.shop import Shop
from tests.support.stamping_calls import (
    buy,
    let_leases_run_out,
    letter,
    reserving,
    resume,
    run_round,
    stamp,
    states,
    upload,
)


def test_bad_row_does_not_block_others(shop: Shop) -> None:
    """The oldest stamping cannot be read, and the next one is locked; those after them are sealed."""
    buy(shop, 12)
    made = [shop.do(reserving(shop, f"key-{n}", f"Surat {n}"))["id"] for n in range(12)]
    bad, held = made[:3], made[3:6]
    shop.arrange("UPDATE stampings SET placements = '[{}]' WHERE stamping_id = ANY (%s)", bad)
    for number, stamping in enumerate(made):
        shop.arrange(
            "UPDATE stampings SET leased_until = now() - make_interval(secs => %s)"
            " WHERE stamping_id = %s",
            100 - number,
            stamping,
        )
    with psycopg.connect(shop.container.settings.process.database_url) as connection:
        connection.execute(
            "SELECT 1 FROM stampings WHERE stamping_id = ANY (%s) FOR UPDATE", [held]
        )
        run_round(shop)
    assert states(shop) == {"delivered": 6, "reserved": 6}
    # Failures are shown, and tried again.
    shown = shop.rows("SELECT subject FROM round_faults WHERE round = 'resume_stampings'")
    assert {row["subject"] for row in shown} == {str(one) for one in bad}
    # At its due time the stamping returns its stamps, like any other.
    shop.arrange("UPDATE stampings SET due_at = now() WHERE stamping_id = ANY (%s)", bad)
    resume(shop)
    assert states(shop) == {"delivered": 9, "failed": 3}
    assert shop.balance().available == 3
    shop.arrange(
        'UPDATE stampings SET placements = \'[{"page": 1, "x": 60, "y": 60, "width": 80}]\''
        " WHERE stamping_id = ANY (%s)",
        bad,
    )
    shop.assert_books_hold()


def test_resumption_leases_what_it_seals_at_once_and_repeats(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    buy(shop, 5)
    for number in range(5):
        shop.do(reserving(shop, f"key-{number}", f"Surat {number}"))
    let_leases_run_out(shop)
    most = shop.container.settings.of(StampingSettings).seals_at_once
    with monkeypatch.context() as at_once:
        at_once.setattr(stamping_service, "RESUMED_SECONDS", -1.0)
        assert shop.do(shop.container.of(StampingService).resume()) == most
    assert shop.do(shop.container.of(StampingService).resume()) == 5 - most


# -- originals ---------------------------------------------------------------------------------


def object_of(shop: Shop, name: str) -> Path:
    """The file that holds the original of a letter."""
    (row,) = shop.rows("SELECT sha256 FROM documents WHERE name = %s", f"{name}.pdf")
    named = content_name(row["sha256"])
    return shop.container.settings.process.directory / "objects" / named[:2] / named


def order_of_letters(shop: Shop, *names: str) -> UUID:
    """A paid order of documents, reserved."""
    terms = [upload(name) for name in names]
    shop.do(shop.container.of(StampingService).order(shop.account, "order", terms))
    (row,) = shop.rows("SELECT order_id FROM orders WHERE kind = %s", OrderKind.DOCUMENTS)
    order = UUID(str(row["order_id"]))
    shop.placed.append(order)
    shop.pay(order)
    shop.work()
    return order


def test_paid_stamping_waits_for_missing_original(shop: Shop) -> None:
    """The original is on another machine: nothing fails, and the document is sealed once the original is readable."""
    order = order_of_letters(shop, "Surat", "Ijazah")
    there = object_of(shop, "Surat")
    content = there.read_bytes()
    there.unlink()
    resume(shop)
    assert states(shop) == {"delivered": 1, "reserved": 1}
    assert shop.state(order) == "paid"
    there.write_bytes(content)
    resume(shop)
    shop.work()
    assert states(shop) == {"delivered": 2}
    assert shop.state(order) == "executed"
    shop.assert_books_hold()


def test_overdue_order_is_refunded(shop: Shop) -> None:
    order = order_of_letters(shop, "Surat", "Ijazah")
    object_of(shop, "Surat").unlink()
    resume(shop)
    shop.arrange("UPDATE stampings SET due_at = now() WHERE state = 'reserved'")
    resume(shop)
    shop.work()
    assert states(shop) == {"delivered": 1, "failed": 1}
    reasons = shop.rows("SELECT refused FROM stampings WHERE state = 'failed'")
    assert reasons == [{"refused": "not_in_time"}]
    refunds = shop.rows("SELECT amount, cause FROM refunds WHERE order_id = %s", order)
    assert [row["cause"] for row in refunds] == ["not_stamped"]
    # The money is refunded, and no mail mentions a stamp in the account.
    shop.work()
    [mail] = shop.rows("SELECT facts FROM mails WHERE template = 'stamping_failed'")
    for language in LANGUAGES:
        said = mail["facts"]["reason"][language]
        assert translate("stamping.failed.of_order", language) in said
        assert not re.search("meterainya|given back|returned|in your account", said)


def test_missing_original_is_unavailable_until_retention_forgets_it(shop: Shop) -> None:
    buy(shop, 1)
    view = stamp(shop, "key", "Surat")
    identifier = shop.rows("SELECT stamping_id FROM stampings")[0]["stamping_id"]
    there = object_of(shop, "Surat")
    content = there.read_bytes()
    there.unlink()
    with pytest.raises(DocumentUnavailable) as refused:
        shop.do(shop.container.of(StampingService).document(shop.account, identifier))
    assert refused.value.status == 503
    assert refused.value.retry_after_seconds > 1
    assert shop.do(shop.container.of(StampingService).view(shop.account, identifier)).document_url
    there.write_bytes(content)
    _, stamped = shop.do(shop.container.of(StampingService).document(shop.account, identifier))
    assert stamped.startswith(letter("Surat"))
    # The row is marked as forgotten: a copy on some machine is not handed out.
    shop.arrange("UPDATE documents SET forgotten_at = %s", datetime.now(UTC))
    with pytest.raises(DocumentForgotten):
        shop.do(shop.container.of(StampingService).document(shop.account, identifier))
    assert (
        shop.do(shop.container.of(StampingService).view(shop.account, identifier)).document_url
        is None
    )
    assert shop.do(shop.container.of(StampingService).delta(shop.account, identifier))[1]
    assert view.state == "delivered"


def test_invalid_seal_returns_the_stamp(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine was wrong about a document: the file is not delivered, and nothing is charged."""
    buy(shop, 1)

    def spoilt(*arguments: Any, **more: Any) -> Sealed:
        before, after = affix(*arguments, **more)
        return Sealed(before.replace(b"/Subtype/Widget", b"/Subtype/Wadget"), after)

    with monkeypatch.context() as patched:
        patched.setattr("meterai.sealing.writing.engine.affix", spoilt)
        with pytest.raises(StampingEndedUnstamped) as refused:
            stamp(shop, "key", "Surat")
    assert refused.value.reason == "seal_does_not_hold"
    assert states(shop) == {"failed": 1}
    assert shop.balance().available == 1
    shop.assert_books_hold()
