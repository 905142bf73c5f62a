"""The stand-in of Midtrans on its own: its refusals, time windows, faults, files, notifications and state."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from standins import clock
from standins.midtrans import Midtrans, MidtransOptions
from standins.midtrans.settlement import HEADER

KEY, DAY = "SB-Mid-server-TEST", clock.DAY_MS


@dataclass
class Merchant:
    """A merchant that calls Midtrans and receives its notifications."""

    http: aiohttp.ClientSession
    url: str = ""
    status: int = 200  # status of its answer to a notification
    heard: list[dict[str, Any]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self, request: web.Request) -> web.Response:
        self.heard.append(await request.json())
        self.arrived.set()
        return web.Response(status=self.status)

    async def told(self, count: int) -> list[tuple[str, str]]:
        """(transaction_status, status_code) of the notifications, once there are `count`."""
        async with asyncio.timeout(30):
            while len(self.heard) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return [(one["transaction_status"], one["status_code"]) for one in self.heard]

    async def call(
        self, method: str, path: str, body: object = None, key: str = KEY
    ) -> dict[str, Any]:
        """The answer of one call of the Core API, with the HTTP status."""
        headers = {"Authorization": aiohttp.encode_basic_auth(key, "")}
        async with self.http.request(
            method, f"{self.url}/v2/{path}", json=body, headers=headers
        ) as answer:
            found: dict[str, Any] = await answer.json()
            return found | {"http": answer.status}

    async def charge(
        self, order_id: str = "order-1", bank: str = "", **more: Any
    ) -> dict[str, Any]:
        by: dict[str, Any] = {"payment_type": "qris", "qris": {"acquirer": "gopay"}}
        if bank:
            by = {"payment_type": "bank_transfer", "bank_transfer": {"bank": bank}}
        details = {"order_id": order_id, "gross_amount": 20_000} | more.pop("details", {})
        return await self.call("POST", "charge", by | {"transaction_details": details} | more)

    async def status_of(self, name: str = "order-1") -> str:
        return str((await self.call("GET", f"{name}/status"))["transaction_status"])

    async def refund(self, key: str, amount: int, name: str = "order-1") -> dict[str, Any]:
        body = {"refund_key": key, "amount": amount, "reason": "sisa"}
        return await self.call("POST", f"{name}/refund/online/direct", body)

    async def standin(self, path: str, **body: object) -> Any:
        async with self.http.post(f"{self.url}/standin/{path}", json=body) as answer:
            return await answer.json() | {"http": answer.status}

    async def get(self, path: str) -> str:
        async with self.http.get(f"{self.url}{path}") as answer:
            assert answer.status == 200
            return await answer.text()


@asynccontextmanager
async def merchant_alone() -> AsyncIterator[tuple[Merchant, str]]:
    async with aiohttp.ClientSession() as http:
        merchant = Merchant(http)
        app = web.Application()
        app.router.add_post("/told", merchant.hear)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield merchant, f"http://127.0.0.1:{runner.addresses[0][1]}/told"
        finally:
            await runner.cleanup()


def with_midtrans(directory: Path, *stories: Callable[[Merchant], Awaitable[None]]) -> None:
    """Run scenarios, each with a newly started Midtrans on the same directory."""

    async def run() -> None:
        async with merchant_alone() as (merchant, notify_url):
            for story in stories:
                midtrans = Midtrans(directory, MidtransOptions(KEY, notify_url))
                merchant.url = await midtrans.serve("127.0.0.1", 0)
                try:
                    await story(merchant)
                finally:
                    await midtrans.stop()

    asyncio.run(run())


def test_every_status_is_reached_and_notified(tmp_path: Path) -> None:
    async def story(one: Merchant) -> None:
        for name in ("paid", "denied", "cancelled", "expired", "back", "declined"):
            assert (await one.charge(name))["http"] == 200
        await one.standin("pay", transaction="paid")
        await one.standin("charge-back", transaction="paid", amount=5_000)
        assert await one.status_of("paid") == "partial_chargeback"
        await one.standin("charge-back", transaction="paid")
        assert await one.status_of("paid") == "chargeback"
        await one.standin("win", transaction="paid")
        assert await one.status_of("paid") == "settlement"
        await one.standin("pay", transaction="denied", issuer="bank lain")
        await one.standin("deny", transaction="denied")
        assert (await one.call("GET", "denied/status"))["status_code"] == "202"
        assert (await one.call("POST", "cancelled/cancel", {}))["status_code"] == "200"
        assert (await one.call("POST", "expired/expire", {}))["status_code"] == "407"
        await one.standin("pay", transaction="back")
        await one.standin("refund", transaction="back", amount=5_000)
        await one.standin("refund", transaction="back")
        await one.standin("decline", transaction="declined")
        told = (await one.told(18))[6:]
        assert told == [
            ("settlement", "200"),
            ("partial_chargeback", "200"),
            ("chargeback", "200"),
            ("settlement", "200"),
            ("settlement", "200"),
            ("deny", "202"),
            ("cancel", "200"),
            ("expire", "202"),
            ("settlement", "200"),
            ("partial_refund", "200"),
            ("refund", "200"),
            ("deny", "202"),
        ]
        assert one.heard[10]["transaction_type"] == "off-us"
        totals = json.loads(await one.get("/standin/totals"))
        assert totals == {
            "settlement": 60_000,
            "refund": 20_000,
            "chargeback": 20_000,
            "chargeback_won": 20_000,
            "deny": 20_000,
        }

    with_midtrans(tmp_path, story)


def test_refusals_are_those_of_midtrans(tmp_path: Path) -> None:
    async def story(one: Merchant) -> None:
        assert (await one.call("GET", "order-1/status", key="another"))["http"] == 401
        assert (await one.call("GET", "order-1/status"))["status_code"] == "404"
        assert (await one.call("DELETE", "order-1/status"))["status_code"] == "404"
        for wrong in (
            {"details": {"gross_amount": 0}},
            {"details": {"gross_amount": 10_000_001}},
            {"details": {"gross_amount": "20000"}},
            {"details": {"gross_amount": True}},
            {"details": {"order_id": "x" * 51}},
            {"details": {"order_id": "a/b"}},
            {"payment_type": "credit_card"},
            {"qris": {"acquirer": "lain"}},
            {"qris": 7},
            {"bank": "lain"},
            {"custom_expiry": {"expiry_duration": 19, "unit": "second"}},
            {"custom_expiry": {"expiry_duration": 181, "unit": "day"}},
            {"custom_expiry": {"expiry_duration": "1"}},
        ):
            assert (await one.charge(**wrong))["status_code"] == "400", wrong
        await one.charge()
        assert (await one.charge())["status_code"] == "406"
        assert (await one.refund("R1", 1))["status_code"] == "412"
        await one.call("POST", "order-1/cancel", {})
        # An order id may be used again after a cancellation. It then names the newer transaction.
        assert (await one.charge())["status_code"] == "201"
        await one.standin("pay", transaction="order-1")
        assert (await one.charge())["status_code"] == "406"
        assert (await one.call("POST", "order-1/cancel", {}))["status_code"] == "412"
        assert (await one.refund("R1", 20_001))["status_code"] == "414"
        first = await one.refund("R1", 5_000)
        assert (await one.refund("R1", 5_000))["refund_chargeback_uuid"] == first[
            "refund_chargeback_uuid"
        ]
        assert (await one.refund("R1", 6_000))["status_code"] == "406"
        assert (await one.refund("R2", 15_001))["status_code"] == "414"
        assert (await one.refund("R2", 15_000))["transaction_status"] == "refund"
        assert (await one.refund("R3", 1))["status_code"] == "412"
        for bank in ("bca", "bni", "bri", "permata", "cimb"):
            charged = await one.charge(bank, bank)
            name = "permata_va_number" if bank == "permata" else "va_numbers"
            assert name in charged
            await one.standin("pay", transaction=bank)
            assert (await one.refund("R4", 1, bank))["status_code"] == "412"

    with_midtrans(tmp_path, story)


def test_faults_have_their_effects(tmp_path: Path) -> None:
    async def story(one: Merchant) -> None:
        await one.standin("faults", charge_500=1, charge_lost=1)
        assert (await one.charge())["http"] == 500
        with pytest.raises(aiohttp.ClientError):
            await one.charge()
        assert await one.status_of() == "pending"
        await one.standin("faults", status_500=1, record_differs=1, other_merchant=1)
        assert (await one.call("GET", "order-1/status"))["http"] == 500
        changed = await one.call("GET", "order-1/status")
        assert (changed["transaction_status"], changed["merchant_id"]) == (
            "settlement",
            "G999999999",
        )
        assert await one.status_of() == "pending"
        await one.standin("faults", cancel_500=1)
        assert (await one.call("POST", "order-1/cancel", {}))["http"] == 500
        await one.standin("pay", transaction="order-1")
        await one.standin("faults", refund_500=1, refuse_refunds=1, refund_denied=1, refund_lost=1)
        assert (await one.refund("R1", 1))["http"] == 500
        assert (await one.refund("R1", 1))["status_code"] == "418"
        denied = await one.refund("R1", 1)
        assert (denied["status_code"], denied["refund_amount"]) == ("202", "0.00")
        with pytest.raises(aiohttp.ClientError):
            await one.refund("R1", 1)
        assert [
            line["refund_key"] for line in (await one.call("GET", "order-1/status"))["refunds"]
        ] == ["R1"]
        await one.standin("say", transaction="order-1", status="pending")
        assert await one.status_of() == "pending"
        await one.standin("say", transaction="order-1", status=None)
        assert await one.status_of() == "partial_refund"
        for path, body, status in (
            ("faults", {"no_such": 1}, 400),
            ("say", {"transaction": "order-1", "status": "nope"}, 400),
            ("pay", {"transaction": "order-1"}, 409),
            ("pay", {"transaction": "none"}, 404),
            ("pay", {"transaction": 7}, 400),
            ("charge-back", {"transaction": "order-1", "amount": 20_000}, 409),
            ("dance", {"transaction": "order-1"}, 404),
        ):
            assert (await one.standin(path, **body))["http"] == status, path

    with_midtrans(tmp_path, story)


def test_notifications_are_lost_doubled_forged_replayed_and_reordered_on_demand(
    tmp_path: Path,
) -> None:
    async def story(one: Merchant) -> None:
        await one.standin("faults", forge_notifications=1, double_notifications=1)
        await one.charge()
        forged, *true = await one.told(3)
        assert (forged, true) == (("settlement", "200"), [("pending", "201")] * 2)
        assert len({told["signature_key"] for told in one.heard}) == 2
        await one.standin("faults", replay_notifications=1)
        await one.standin("pay", transaction="order-1")
        assert (await one.told(5))[3:] == [("settlement", "200"), ("refund", "200")]
        assert one.heard[3]["signature_key"] == one.heard[4]["signature_key"]
        await one.standin("faults", drop_notifications=1)
        await one.standin("refund", transaction="order-1", amount=1)
        await one.standin("faults", reorder_notifications=1)
        await one.standin("refund", transaction="order-1", amount=1)
        await one.standin("refund", transaction="order-1")
        assert (await one.told(7))[5:] == [("refund", "200"), ("partial_refund", "200")]
        await one.standin("notify", transaction="order-1", body={"order_id": "x"}, signed=False)
        async with asyncio.timeout(30):
            while len(one.heard) < 8:
                one.arrived.clear()
                await one.arrived.wait()
        assert one.heard[7] == {"order_id": "x"}

    with_midtrans(tmp_path, story)


def test_state_and_undelivered_news_survive_a_restart(tmp_path: Path) -> None:
    async def before(one: Merchant) -> None:
        one.status = 302  # a redirect is no delivery
        await one.charge()
        await one.told(1)
        await one.standin("faults", deny_after_settlement_seconds=0.2)
        await one.standin("pay", transaction="order-1")

    async def after(one: Merchant) -> None:
        one.status, one.heard = 200, []
        told = await one.told(3)
        assert {"pending", "settlement", "deny"} == {status for status, _ in told}
        assert await one.status_of() == "deny"

    with_midtrans(tmp_path, before, after)


def test_settlement_file_has_each_movement_of_its_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(one: Merchant) -> None:
        await one.charge()
        await one.charge("by-number", "bri")
        for name in ("order-1", "by-number"):
            await one.standin("pay", transaction=name)
        await one.refund("R1", 5_000)
        now = clock.now_ms
        day = clock.wib(now()).date()
        monkeypatch.setattr(clock, "now_ms", lambda: now() + DAY)
        await one.standin("deny", transaction="by-number")
        text = await one.get(f"/standin/files/{day}/midtrans.csv")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert text.splitlines()[0] == HEADER
        assert [(row["line_type"], row["amount"], row["fee"], row["tax"]) for row in rows] == [
            ("settlement", "20000.00", "140.00", "15.00"),
            ("settlement", "20000.00", "4000.00", "440.00"),
            ("refund", "-5000.00", "0.00", "0.00"),
        ]
        assert (rows[2]["refund_key"], rows[2]["order_id"]) == ("R1", "order-1")
        next_day = clock.wib(now() + DAY).date()
        [row] = csv.DictReader(
            io.StringIO(await one.get(f"/standin/files/{next_day}/midtrans.csv"))
        )
        assert (row["line_type"], row["net_amount"]) == ("deny", "-20000.00")

    with_midtrans(tmp_path, story)


def test_person_acts_as_customer_on_the_page(tmp_path: Path) -> None:
    async def story(one: Merchant) -> None:
        charged = await one.charge("order")
        assert "order" in await one.get("/")
        url = charged["actions"][0]["url"].removeprefix(one.url)
        assert "<svg" in await one.get(url)
        async with one.http.post(f"{one.url}{url}/pay") as answer:
            assert answer.status == 200
            assert "settlement" in await answer.text()
        async with one.http.post(f"{one.url}{url}/pay") as answer:
            assert answer.status == 409

    with_midtrans(tmp_path, story)
