"""A rail that no file of the product knows works completely, beside the existing one.

The rail is tests/toy_rail, as docs/adding.md explains it.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zlib import crc32

import aiohttp
import psycopg

import standins
from meterai.accounts import AccountService
from meterai.apps.rooms import ROOMS, registered_of, subscriptions_of
from meterai.apps.settings import sections
from meterai.audit.auditor import invariants_of
from meterai.audit.report import AuditRequest, audit_all
from meterai.audit.seals import DeltaSample
from meterai.payments import PaymentService, Rails, RefundSender
from meterai.payments.qr_check import check_rails
from meterai.payments.rails import RailKinds
from meterai.payments.room import RAILS, payments_with
from meterai.plumbing import config
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Row
from meterai.plumbing.work.jobs import Worker
from meterai.room import Rooms
from tests.support.audits import audit
from tests.support.bank import CLIENT, MERCHANT, prepare
from tests.support.keys import OUR_KEY, public_pem_of
from tests.support.shop import TESTER
from tests.support.till import SECRET
from tests.support.till import settings_of as settings_with_bank
from tests.support.within import Given, Within, within
from tests.toy_rail.bank import ToyBank, toy_bank
from tests.toy_rail.rail import NOTIFY_PATH, TOY

KINDS: RailKinds = (*RAILS, TOY)
WITH_TOY: Rooms = tuple(payments_with(KINDS) if room.name == "payments" else room for room in ROOMS)
TOY_SECRET = "known to two"


@dataclass
class Town:
    """The application, an account in it, and two banks."""

    web: Within
    settings: Settings
    bank_url: str
    toy: ToyBank
    account: UUID
    key: str
    _orders: int = 0

    async def order(self, **more: object) -> dict[str, Any]:
        """Order a stamp."""
        self._orders += 1
        given = await self.asked("/v1/orders", {"quantity": 1, **more})
        assert given.status == 201, given.body
        found: dict[str, Any] = json.loads(given.body)
        return found

    async def asked(self, path: str, content: object = None) -> Given:
        """POST as the account."""
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Idempotency-Key": f"key-{self._orders}-{path[-30:]}-{crc32(repr(content).encode())}",
            "Content-Type": "application/json",
        }
        return await self.web.post(path, json.dumps(content).encode(), headers)

    async def shown(self, order: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.key}"}
        given = await self.web.get(f"/v1/orders/{order['id']}", headers)
        found: dict[str, Any] = json.loads(given.body)
        return found

    async def rows(self, query: str, *parameters: object) -> list[Row]:
        return await self.web.container.database.call_all(query, *parameters)

    def arrange(self, query: str) -> None:
        """Run a statement as the owner of the tables."""
        with psycopg.connect(self.web.container.database.url) as owner:
            owner.execute(query.encode())

    async def work(self) -> None:
        """Run every existing job."""
        container = self.web.container
        worker = Worker(
            container.database,
            subscriptions_of(WITH_TOY),
            [],
            services=container.services(),
            concurrency=1,
        )
        while await worker.worker_pool().once():
            pass

    async def round(self) -> None:
        """Run every periodic task of payments and refunds, now."""
        self.arrange(
            "UPDATE payment_attempts SET leased_until = now() WHERE state = 'opening';"
            " UPDATE payment_attempts SET ask_at = now() WHERE state <> 'opening'"
            " AND ask_at < 'infinity';"
            " UPDATE payment_attempts SET cancel_at = now() WHERE cancel_at < 'infinity'"
        )
        payments = self.web.container.of(PaymentService)
        await payments.open_waiting()
        await payments.poll_waiting()
        await payments.cancel_closed()
        await self.work()
        await self.web.container.of(RefundSender).send_due()
        await self.work()

    async def pay_bank(self, order: dict[str, Any]) -> None:
        """A customer of the other bank scans the QR."""
        body = {"qr_content": order["payment"]["qr_content"]}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.bank_url}/standin/pay", json=body) as answer,
        ):
            assert answer.status == 200


def both(database_url: str, directory: Path, bank_url: str, toy_url: str) -> Settings:
    flat = settings_with_bank(directory, database_url, bank_url).flat()
    more = {"payment_rails": "bank toy", "toy_url": toy_url, "toy_secret": TOY_SECRET}
    return config.settings_of(sections(WITH_TOY), **{**flat, **more})


@asynccontextmanager
async def town(database_url: str, directory: Path) -> AsyncIterator[Town]:
    prepare(directory / "bank")
    options = standins.Options(
        directory / "bank", CLIENT, SECRET, public_pem_of(OUR_KEY), "http://127.0.0.1:9/", MERCHANT
    )
    running = await standins.start(options)
    try:
        async with toy_bank(TOY_SECRET) as toy:
            settings = both(database_url, directory, running.bank_url, toy.url)
            async with within(settings, WITH_TOY) as web:
                accounts = web.container.of(AccountService)
                account = await accounts.create("browser@example.org", actor=TESTER)
                key = await accounts.create_api_key(account, "test", actor=TESTER)
                yield Town(web, settings, running.bank_url, toy, account, key)
    finally:
        await running.stop()


async def notify(place: Town, notice: tuple[dict[str, str], bytes]) -> Given:
    headers, body = notice
    return await place.web.post(NOTIFY_PATH, body, headers)


async def holds(place: Town) -> None:
    """Check every invariant of the rooms with their rails, and `meterai audit` with both banks' records."""
    database, registered = place.web.container.database, registered_of(WITH_TOY)
    found = await audit(database, invariants_of(registered))
    assert found.holds, [one for one in found.findings if not one.holds]
    whole = await audit_all(
        database,
        place.settings,
        request=AuditRequest(DeltaSample(1), bank_days=1),
        registered=registered,
        opens=payments_with(KINDS).opens,
    )
    assert whole.audit.holds, [one for one in whole.audit.findings if not one.holds]


def test_orders_are_paid_by_either_rail_and_refunded_by_the_same(
    database_url: str, tmp_path: Path
) -> None:
    async def run() -> None:
        async with town(database_url, tmp_path) as place:
            by_qr = await place.order()
            assert (by_qr["payment"]["method"], "instructions" in by_qr["payment"]) == (
                "qris",
                False,
            )
            by_number = await place.order(payment_method="virtual_account")
            number = by_number["payment"]["instructions"]["number"]
            assert by_number["payment"]["qr_content"] is None
            assert by_number["payment"] == (await place.shown(by_number))["payment"]
            assert (await place.order(payment_method="qris"))["payment"]["qr_content"]
            # One payment is notified by its bank, twice; the other is queried.
            await place.pay_bank(by_qr)
            notice = place.toy.pay(number, "17")
            for _ in range(2):
                given = await notify(place, notice)
                assert (given.status, json.loads(given.body)["kept"]) == (200, True)
            await place.work()
            assert (await place.shown(by_number))["state"] == "executed"
            untold = await place.order(payment_method="virtual_account")
            place.toy.pay(untold["payment"]["instructions"]["number"], "18")
            await place.round()
            assert {(await place.shown(one))["state"] for one in (by_qr, untold)} == {"executed"}
            payments = {row["payment"] for row in await place.rows("SELECT payment FROM captures")}
            assert payments > {"toy:17", "toy:18"}
            # Each is refunded by its own rail.
            for order in (by_qr, by_number):
                given = await place.asked("/v1/refunds", {"order_id": order["id"]})
                assert given.status in (200, 201), given.body
            await place.round()
            assert {(await place.shown(one))["state"] for one in (by_qr, by_number)} == {"returned"}
            [refund] = place.toy.refunds.values()
            assert (refund["payment"], refund["id"]) == ("17", "R1")
            await holds(place)

    asyncio.run(run())


def test_abandoned_attempt_is_closed_at_bank_and_missing_one_is_made_later(
    database_url: str, tmp_path: Path
) -> None:
    async def run() -> None:
        async with town(database_url, tmp_path) as place:
            given_up = await place.order(payment_method="virtual_account")
            await place.asked(f"/v1/orders/{given_up['id']}/withdraw")
            [closed] = place.toy.numbers.values()
            assert closed.state == "closed"
            place.toy.secret = "another"
            later = await place.order(payment_method="virtual_account")
            assert (later["payment"]["state"], len(place.toy.numbers)) == ("opening", 1)
            place.toy.secret = TOY_SECRET
            await place.round()
            assert (await place.shown(later))["payment"]["instructions"]["kind"] == "account_number"
            await holds(place)

    asyncio.run(run())


def test_attempt_of_removed_rail_is_logged_and_stops_no_other(
    database_url: str, tmp_path: Path
) -> None:
    async def run() -> None:
        async with town(database_url, tmp_path) as place:
            paid = await place.order(payment_method="virtual_account")
            number = paid["payment"]["instructions"]["number"]
            await notify(place, place.toy.pay(number, "17"))
            await place.work()
            stranded = await place.order(payment_method="virtual_account")
            await place.asked("/v1/refunds", {"order_id": paid["id"]})
            only = place.settings.replaced(payment_rails="bank")
            async with within(only, WITH_TOY) as web:
                alone = replace(place, web=web, settings=only)
                fresh = await alone.order()
                assert fresh["payment"]["method"] == "qris"
                await alone.pay_bank(fresh)
                place.arrange("UPDATE payment_attempts SET asked = 20 WHERE provider = 'toy'")
                await alone.round()
                # Like an unreachable provider: tried ever less often, so that it delays no others.
                [wait] = await alone.rows(
                    "SELECT min(ask_at) - now() AS wait FROM payment_attempts"
                    " WHERE provider = 'toy'"
                )
                assert wait["wait"] > timedelta(minutes=10)
                assert (await alone.shown(fresh))["state"] == "executed"
                shown = (await alone.shown(stranded))["payment"]
                assert (shown["method"], "instructions" in shown) == ("virtual_account", False)
                faults = await alone.rows("SELECT round, code FROM round_faults ORDER BY 1")
                assert {(one["round"], one["code"]) for one in faults} == {
                    ("ask_about_payments", "rail_not_configured"),
                    ("send_refunds", "rail_not_configured"),
                }
                told_of = await check_rails(web.container.database, web.container.of(Rails))
                assert [row["provider"] for row in told_of.evidence] == ["toy"]
                notice = place.toy.notice({"state": "paid"}, delivery="18")
                assert (await notify(alone, notice)).status == 404
            # The rail returns, and the waiting work continues.
            await place.round()
            place.arrange("UPDATE refunds SET try_at = now(), leased_until = NULL")
            await place.round()
            assert (await place.shown(paid))["state"] == "returned"
            await holds(place)

    asyncio.run(run())
