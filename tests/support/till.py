"""A shop whose bank is a stand-in in the same process. A test runs the periodic tasks."""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import aiohttp

import standins
from meterai.apps.container import build_services
from meterai.apps.settings import settings_of as make_settings
from meterai.payments import PaymentService, Rails, RefundSender, reference_of
from meterai.payments.adapters.snap import NOTIFY_PATH, signing
from meterai.payments.adapters.snap.provider import SnapProvider
from meterai.payments.adapters.snap.wire import snap_time
from meterai.payments.installed import BoundedRail
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Row
from tests.support.audits import audit
from tests.support.bank import CLIENT, MERCHANT, Bank, prepare
from tests.support.keys import BANK_KEY, OUR_KEY, give_provider_key, public_pem_of
from tests.support.per_order import assert_each_order_is_explained
from tests.support.shop import PRICE, Shop

Answer = TypeVar("Answer")
SECRET = "a secret of tests"


@dataclass
class Till:
    """One account, its orders, and a bank."""

    shop: Shop
    bank: Bank
    _told: int = 0

    def do(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return self.shop.do(work)

    def rows(self, query: str, *parameters: object) -> list[Row]:
        return self.shop.rows(query, *parameters)

    def control(self, path: str, **body: object) -> Any:
        return self.do(self.bank.control(path, **body))

    def answers(self, service: str, *answers: dict[str, Any]) -> None:
        self.do(self.bank.answers(service, *answers))

    def clear(self) -> None:
        """Begin with another account, and a bank without faults."""
        self.shop.clear()
        self.shop.arrange("DELETE FROM notification_inbox")
        self.clear_faults()

    def clear_faults(self) -> None:
        """End all faults of the bank."""
        self.do(self._clear_faults())

    async def _clear_faults(self) -> None:
        async with self.bank.http.delete(f"{self.bank.url}/standin/faults") as answer:
            assert answer.status == 200

    # -- orders and attempts ---------------------------------------------------------------

    def order(self, quantity: int = 1) -> tuple[UUID, UUID, str]:
        """Place an order with a QR; return order, attempt, and content of the QR."""
        order = self.shop.place(quantity)
        self.open()
        [row] = self.rows("SELECT * FROM payment_attempts WHERE subject = %s", order)
        assert row["instructions"] is not None, row["last_answer"]
        return order, row["attempt_id"], row["instructions"]["content"]

    def open(self) -> None:
        """Run the periodic task that opens attempts."""
        self.shop.arrange(
            "UPDATE payment_attempts SET leased_until = now() WHERE state = 'opening'"
        )
        self.do(self.shop.container.of(PaymentService).open_waiting())

    def ask(self) -> None:
        """Run the periodic task that queries attempts, for all of them."""
        self.shop.arrange(
            "UPDATE payment_attempts SET ask_at = now()"
            " WHERE state <> 'opening' AND ask_at < 'infinity'"
        )
        self.do(self.shop.container.of(PaymentService).poll_waiting())
        self.shop.work()

    def cancel(self) -> None:
        """Run the periodic task that cancels attempts."""
        self.shop.arrange(
            "UPDATE payment_attempts SET cancel_at = now() WHERE cancel_at < 'infinity'"
        )
        self.do(self.shop.container.of(PaymentService).cancel_closed())

    def send_refunds(self) -> None:
        """Run the periodic task that sends refunds."""
        self.shop.arrange(
            "UPDATE refunds SET try_at = now(), leased_until = NULL WHERE way = 'provider'"
        )
        self.do(self.shop.container.of(RefundSender).send_due())
        self.shop.work()

    def look_up(self) -> None:
        """Run the periodic task that reads the bank's record of refunds."""
        self.shop.arrange("UPDATE chargebacks SET look_at = now() WHERE look_at < 'infinity'")
        self.do(self.shop.container.of(RefundSender).look_up_given_back())
        self.shop.work()

    def watch_refunds(self) -> None:
        """Run the periodic task that looks up refunds in the bank's record."""
        self.shop.arrange("UPDATE refunds SET look_at = now() WHERE look_at IS NOT NULL")
        self.do(self.shop.container.of(RefundSender).watch())
        self.shop.work()

    def attempt(self, attempt: UUID) -> Row:
        [row] = self.rows(
            "SELECT state, asked, ask_rank, tries, last_answer, reference,"
            " instructions->>'content' AS qr_content,"
            " ask_at = 'infinity' AS is_over, ask_at - now() AS wait,"
            " cancel_at = 'infinity' AS is_taken_back, provider_reference"
            " FROM payment_attempts WHERE attempt_id = %s",
            attempt,
        )
        return row

    def reference(self, attempt: UUID) -> str:
        return reference_of(self.shop.account, attempt)

    # -- money -----------------------------------------------------------------------------

    def captured(self) -> list[tuple[str, int]]:
        found = self.rows("SELECT payment, amount FROM captures WHERE learned_by <> 'denial'")
        return sorted((row["payment"], row["amount"]) for row in found)

    def suspended(self) -> list[tuple[str, int]]:
        """(reason, rupiah in the book) of every open item."""
        found = self.rows("SELECT reason, booked FROM suspense_items WHERE state = 'open'")
        return sorted((row["reason"], row["booked"]) for row in found)

    def book(self, book: str) -> int:
        [row] = self.rows(
            "SELECT coalesce(sum(credit - debit), 0)::bigint AS sum FROM legs WHERE book = %s", book
        )
        return int(row["sum"])

    def assert_books_hold(self) -> None:
        """Check every invariant of `meterai audit`, and every rupiah of every order; money in suspense
        is of no order."""
        found = self.do(audit(self.shop.container.database))
        broken = [one for one in found.findings if not one.holds]
        assert not [one for one in broken if one.invariant.name not in self.shop.not_asked], broken
        assert_each_order_is_explained(self.rows)
        [row] = self.rows(
            "SELECT coalesce(sum(booked), 0)::bigint AS sum FROM suspense_items"
            " WHERE state = 'open'"
        )
        assert self.book("suspense") == row["sum"]

    # -- notifications ---------------------------------------------------------------------

    def notify(self, body: dict[str, Any] | bytes, external_id: str | None = None) -> str | None:
        """Send a signed notification of the bank; return its outcome."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._told += 1
        timestamp = snap_time(datetime.now(UTC))
        text = signing.string_to_sign("POST", NOTIFY_PATH, raw, timestamp)
        headers = {
            "x-timestamp": timestamp,
            "x-signature": signing.sign_asymmetric(BANK_KEY, text),
            "x-external-id": f"{self._told:012}" if external_id is None else external_id,
        }
        service = self.shop.container.of(PaymentService)
        self.do(service.take_notification("bank", NOTIFY_PATH, headers, raw))
        self.shop.work()
        [row] = self.rows(
            "SELECT outcome FROM notification_inbox ORDER BY received_at DESC, external_id LIMIT 1"
        )
        found: str | None = row["outcome"]
        return found


def paid_body(reference: str, number: str = "P1", value: str = f"{PRICE}.00") -> dict[str, Any]:
    """The body of a notification of a payment."""
    return {
        "originalPartnerReferenceNo": reference,
        "latestTransactionStatus": "00",
        "amount": {"value": value, "currency": "IDR"},
        "additionalInfo": {"rrn": number},
    }


def settings_of(directory: Path, database_url: str, bank_url: str, **more: Any) -> Settings:
    """Settings of a container with this bank; its keys are made beforehand."""
    give_provider_key(directory)
    public = directory / "bank.pub.pem"
    public.write_bytes(public_pem_of(BANK_KEY))
    return make_settings(
        **(
            {
                "data": str(directory),
                "database_url": database_url,
                "bank_url": bank_url,
                "bank_client_secret": SECRET,
                "bank_public_key": str(public),
                "stamp_price": PRICE,
            }
            | more
        )
    )


@contextmanager
def open_till(
    database_url: str, directory: Path, *, float_opening: int = standins.FLOAT_OPENING, **more: Any
) -> Iterator[Till]:
    """A till on a migrated database of its own; `more` are settings."""
    prepare(directory / "bank")
    with asyncio.Runner() as runner:
        options = standins.Options(
            directory / "bank",
            CLIENT,
            SECRET,
            public_pem_of(OUR_KEY),
            "http://127.0.0.1:9/",
            MERCHANT,
            float_opening=float_opening,
        )
        running = runner.run(standins.start(options))
        opened = build_services(settings_of(directory, database_url, running.bank_url, **more))
        container = runner.run(opened.__aenter__())
        session = runner.run(_session())
        try:
            shop = Shop(container, runner)
            shop.clear()
            bounded = container.of(Rails).of("bank")
            assert isinstance(bounded, BoundedRail)
            provider = bounded.rail
            assert isinstance(provider, SnapProvider)
            yield Till(shop, Bank(running.bank_url, provider, session))
        finally:
            runner.run(session.close())
            runner.run(opened.__aexit__(None, None, None))
            runner.run(running.stop())


async def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()
