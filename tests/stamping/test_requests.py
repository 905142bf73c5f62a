"""Several documents of one request: all their stamps are held, or none."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from meterai.kit.ids import show
from meterai.plumbing.config import environment_for
from meterai.plumbing.http.requests import IdempotencyKeyReused
from meterai.stamping import StampedBefore, StampingService
from meterai.stamping.model import DocumentTwice
from meterai.stamps import NotEnoughStamps
from tests.support.commands import ROOT
from tests.support.instance import READY_SECONDS_MAX, until
from tests.support.shop import Shop, open_shop
from tests.support.stamping_calls import (
    at_once,
    buy,
    ids,
    letter,
    made,
    reserving,
    resume,
    stamp,
    stamp_all,
    states,
    upload,
)

THREE = ("Surat", "Ijazah", "Kuasa")


def test_request_with_too_few_stamps_changes_nothing(shop: Shop) -> None:
    buy(shop, 2)
    for _ in range(2):
        with pytest.raises(NotEnoughStamps) as refused:
            stamp_all(shop, "form", *THREE)
        assert (refused.value.needed, refused.value.available) == (3, 2)
        balance = shop.balance()
        assert (balance.available, balance.held, balance.used) == (2, 0, 0)
        assert states(shop) == {}
        assert shop.rows("SELECT 1 FROM stamping_keys") == []
    buy(shop, 1)
    views = stamp_all(shop, "form", *THREE)
    assert [view.state for view in views] == ["delivered"] * 3
    assert [view.document for view in views] == [f"{name}.pdf" for name in THREE]
    assert shop.balance().used == 3
    shop.assert_books_hold()


def test_repeated_form_finds_its_first_answer(shop: Shop) -> None:
    buy(shop, 4)
    first = stamp_all(shop, "form", *THREE)
    assert made(stamp_all(shop, "form", *THREE)) == made(first)
    # A browser may send the files in another order, and the balance may be empty by then.
    stamp(shop, "another", "Lain")
    assert shop.balance().available == 0
    again = stamp_all(shop, "form", *reversed(THREE))
    assert {view.id for view in again} == {view.id for view in first}
    with pytest.raises(IdempotencyKeyReused):
        stamp_all(shop, "form", "Surat", "Ijazah")
    assert shop.balance().used == 4
    shop.assert_books_hold()


def test_stamped_document_is_not_stamped_again_without_agreement(shop: Shop) -> None:
    buy(shop, 3)
    [first] = stamp_all(shop, "form", "Surat")
    # The answer was lost; the same file is sent with a new form, from stamps and with an order.
    for _ in range(2):
        with pytest.raises(StampedBefore) as refused:
            stamp_all(shop, "another", "Surat", "Ijazah")
        assert [show("stg", one.id) for one in refused.value.found] == [first.id]
        assert refused.value.name == "Surat.pdf"
        with pytest.raises(StampedBefore):
            shop.do(
                shop.container.of(StampingService).order(shop.account, "order", [upload("Surat")])
            )
        assert (shop.balance().used, shop.balance().held) == (1, 0)
        assert shop.rows("SELECT 1 FROM orders WHERE kind = 'documents'") == []
    assert made(stamp_all(shop, "form", "Surat")) == made([first])
    agreed = {hashlib.sha256(letter("Surat")).digest()}
    uploads = [upload("Surat"), upload("Ijazah")]
    asked = shop.container.of(StampingService).stamp_all(shop.account, "another", uploads, agreed)
    assert [view.state for view in shop.do(asked)] == ["delivered"] * 2
    assert shop.balance().used == 3
    shop.assert_books_hold()


def test_concurrent_forms_with_one_document_get_one_stamp(shop: Shop) -> None:
    buy(shop, 2)
    stamping = shop.container.of(StampingService)
    asked = [
        stamping.stamp_all(shop.account, f"form-{number}", [upload("Surat")]) for number in (1, 2)
    ]
    at_once(shop, *asked)
    assert len(states(shop)) == 1
    assert shop.balance().used == 1
    shop.assert_books_hold()


def test_request_joins_unfinished_stamping_and_pays_for_the_rest(shop: Shop) -> None:
    buy(shop, 2)
    unfinished = shop.do(reserving(shop, "key", "Surat"))["id"]
    views = stamp_all(shop, "other", "Surat", "Ijazah")
    assert [view.state for view in views] == ["reserved", "delivered"]
    assert ids(views)[0] == unfinished
    resume(shop)
    assert [view.state for view in stamp_all(shop, "other", "Surat", "Ijazah")] == ["delivered"] * 2
    assert shop.balance().used == 2
    shop.assert_books_hold()


def test_same_document_twice_is_refused_by_name(shop: Shop) -> None:
    buy(shop, 2)
    copy = upload("Salinan", content=letter("Surat"))
    uploads = [upload("Surat"), copy]
    for asked in (
        shop.container.of(StampingService).stamp_all,
        shop.container.of(StampingService).order,
    ):
        with pytest.raises(DocumentTwice) as refused:
            shop.do(asked(shop.account, "form", uploads))
        assert refused.value.facts() == {"name": "Salinan.pdf", "same_as": "Surat.pdf"}
    assert states(shop) == {}
    assert shop.balance().available == 2


def test_documents_of_a_request_end_independently(shop: Shop) -> None:
    """The process is killed while three documents are reserved, and one original is deleted meanwhile."""
    buy(shop, 3)
    killed_before_its_first_delivery(shop, *THREE)
    assert states(shop) == {"reserved": 3}
    assert shop.balance().held == 3
    shop.arrange("UPDATE documents SET forgotten_at = now() WHERE name = 'Ijazah.pdf'")
    resume(shop)
    views = stamp_all(shop, "form", *THREE)
    assert [view.state for view in views] == ["delivered", "failed", "delivered"]
    assert [view.reason for view in views] == [None, "document_forgotten", None]
    balance = shop.balance()
    assert (balance.available, balance.held, balance.used) == (1, 0, 2)
    shop.assert_books_hold()


def test_kill_between_reserve_and_seal_loses_nothing(shop: Shop) -> None:
    buy(shop, 3)
    killed_before_its_first_delivery(shop, *THREE)
    held = {row["serial"] for row in shop.rows("SELECT serial FROM stamps")}
    resume(shop)
    views = stamp_all(shop, "form", *THREE)
    assert [view.state for view in views] == ["delivered"] * 3
    assert {serial for view in views for serial in view.serials} == held
    assert shop.balance().used == 3
    for view, name in zip(views, THREE, strict=True):
        _, content = shop.do(
            shop.container.of(StampingService).document(shop.account, ids([view])[0])
        )
        assert content.startswith(letter(name))
    shop.assert_books_hold()


def test_document_that_cannot_be_sealed_now_waits_visibly(
    shop: Shop, database_url: str, tmp_path: Path
) -> None:
    """No time-stamp is available: the documents stay reserved, and are sealed when it is."""
    buy(shop, 3)
    (proofs,) = (seal.with_name("proofs.toml") for seal in tmp_path.rglob("seal.pem"))
    proofs.write_text(
        'time_stamp_url = "http://127.0.0.1:9/"\ntime_stamp_roots = "root.pem"\n'
        "timeout_seconds = 1.0\n"
    )
    with other_process(database_url, tmp_path, shop) as unlucky:
        views = stamp_all(unlucky, "form", *THREE)
    assert [view.state for view in views] == ["reserved"] * 3
    proofs.unlink()
    resume(shop)
    assert [view.state for view in stamp_all(shop, "form", *THREE)] == ["delivered"] * 3
    assert shop.balance().used == 3
    shop.assert_books_hold()


@contextmanager
def other_process(database_url: str, directory: Path, shop: Shop) -> Iterator[Shop]:
    """Another container of the same instance, with the current keys, which keeps all data."""
    with open_shop(database_url, directory, is_new=False) as other:
        other.account = shop.account
        yield other


def killed_before_its_first_delivery(shop: Shop, *names: str) -> None:
    """A process reserves the stamps of a form, and is killed (kill -9) before its first delivery."""
    settings = shop.container.settings
    files = [settings.process.directory / f"{name}.pdf" for name in names]
    for file in files:
        file.write_bytes(letter(file.stem))
    environment = environment_for(settings.replaced(log_level="error"))
    environment.pop("METERAI_PARENT_PID", None)
    with psycopg.connect(settings.process.database_url) as connection:
        connection.execute("LOCK TABLE deltas IN SHARE MODE")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.form_process", str(shop.account), "form", *files],
            cwd=ROOT,
            env=environment,
        )
        try:
            until("it stands before delivering", lambda: shop.watch(WAITING), READY_SECONDS_MAX)
        finally:
            process.kill()
            process.wait()
        # The server would continue the statement of the dead client.
        shop.watch(f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS waiting")
        until("it gave up", lambda: not shop.watch(WAITING))


WAITING = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    AND wait_event_type = 'Lock' AND strpos(query, 'stamping_deliver(') > 0
"""
