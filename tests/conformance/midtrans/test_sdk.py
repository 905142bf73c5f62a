"""The official Python SDK of Midtrans against our stand-in, and compared with our own adapter.

Its signatures equal ours byte for byte, its calls equal our calls, and it finds all needed members in every
answer.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from meterai.kit.clock import SystemClock
from meterai.kit.ids import new_id
from meterai.kit.money import Rupiah
from meterai.payments.adapters.midtrans import order_id_of, reference_of_order
from meterai.payments.adapters.midtrans.provider import Merchant, MidtransRail
from meterai.payments.adapters.midtrans.reading import signature_of
from meterai.payments.model import (
    NotificationForged,
    OpenedAttempt,
    PaymentIdentity,
    ProviderRefused,
    ProviderStatus,
    reference_of,
)
from standins.bank.qris import MERCHANT_PAN, NATIONAL_MERCHANT_ID
from standins.midtrans import Midtrans, MidtransOptions

ENVIRONMENT = Path("build/conformance/midtrans/bin/python")
KEY, MERCHANT = "SB-Mid-server-TEST", "G000000001"
SDK = Path(__file__).with_name("sdk.py")
AMOUNT = Rupiah(10_000)
# Headers of the connection and of the client, which the protocol does not define.
NOT_COMPARED = {"host", "user-agent", "accept-encoding", "connection", "content-length"}

pytestmark = pytest.mark.skipif(
    not ENVIRONMENT.with_name("pip").exists(),
    reason="`make conformance` brings the SDK of Midtrans",
)


@dataclass
class Call:
    """One call as it was received."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def same(self) -> tuple[str, str, dict[str, str], Any]:
        """The parts of the call that the protocol defines; the body as JSON, or None for a GET."""
        headers = {name: one for name, one in self.headers.items() if name not in NOT_COMPARED}
        return self.method, self.path, headers, json.loads(self.body or b"null")


@dataclass
class Booth:
    """The stand-in behind a recorder; the SDK and our adapter call the recorder."""

    url: str
    standin: str
    rail: MidtransRail
    process: asyncio.subprocess.Process
    http: aiohttp.ClientSession
    calls: list[Call] = field(default_factory=list)
    news: list[bytes] = field(default_factory=list)
    told_twice: asyncio.Event = field(default_factory=asyncio.Event)

    async def sdk(self, call: str, *arguments: object) -> dict[str, Any]:
        """The answer of the SDK, or the error that it raised."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"call": call, "arguments": arguments}
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        line = await self.process.stdout.readline()
        assert line, "the SDK broke"
        found: dict[str, Any] = json.loads(line)
        return found

    async def answered(self, call: str, *arguments: object) -> dict[str, Any]:
        found: dict[str, Any] = (await self.sdk(call, *arguments))["answer"]
        return found

    async def act(self, act: str, name: str) -> None:
        body = {"transaction": name}
        async with self.http.post(f"{self.standin}/standin/{act}", json=body) as answer:
            assert answer.status == 200, await answer.text()

    def last(self) -> Call:
        return self.calls[-1]


@asynccontextmanager
async def booth(directory: Path) -> AsyncIterator[Booth]:
    calls: list[Call] = []
    news: list[bytes] = []
    standin: list[str] = []
    told_twice = asyncio.Event()

    async def hear(request: web.Request) -> web.Response:
        news.append(await request.read())
        if len(news) == 2:
            told_twice.set()
        return web.Response()

    async def forward(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        calls.append(Call(request.method, request.raw_path, headers, body))
        async with aiohttp.request(
            request.method, standin[0] + request.raw_path, data=body, headers=headers
        ) as answer:
            content = await answer.read()
            return web.Response(
                status=answer.status, body=content, content_type=answer.content_type
            )

    app = web.Application()
    app.router.add_post("/told", hear)
    app.router.add_route("*", "/{rest:.*}", forward)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    midtrans = Midtrans(directory, MidtransOptions(KEY, f"{url}/told", MERCHANT))
    standin.append(await midtrans.serve("127.0.0.1", 0))
    accounts = frozenset({MERCHANT, MERCHANT_PAN, NATIONAL_MERCHANT_ID})
    ours = Merchant(url, KEY, MERCHANT, "gopay", "bni", accounts, 5.0)
    process = await asyncio.create_subprocess_exec(
        ENVIRONMENT, SDK, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"url": url, "key": KEY}).encode() + b"\n")
    try:
        async with aiohttp.ClientSession() as http:
            rail = MidtransRail(ours, SystemClock(), http)
            yield Booth(url, standin[0], rail, process, http, calls, news, told_twice)
    finally:
        process.stdin.close()
        await process.wait()
        await midtrans.stop()
        await runner.cleanup()


def with_booth(directory: Path, story: Callable[[Booth], Awaitable[None]]) -> None:
    async def run() -> None:
        async with booth(directory) as one:
            await story(one)

    asyncio.run(run())


def about(made: OpenedAttempt, reference: str) -> PaymentIdentity:
    return PaymentIdentity(
        reference=reference, provider_reference=made.provider_reference, amount=str(AMOUNT)
    )


async def opened(one: Booth, method: str = "qris") -> tuple[str, OpenedAttempt]:
    reference = reference_of(new_id(), new_id())
    until = datetime.now(UTC) + timedelta(minutes=15)
    made = await one.rail.open(method, reference, AMOUNT, until)
    assert isinstance(made, OpenedAttempt)
    return reference, made


@pytest.mark.parametrize("method", ["qris", "va"])
def test_charge_is_the_call_of_the_sdk_and_its_answer_is_read(tmp_path: Path, method: str) -> None:
    async def story(one: Booth) -> None:
        reference, _ = await opened(one, method)
        ours = one.last()
        asked = json.loads(ours.body)
        other = order_id_of(reference_of(new_id(), new_id()))
        asked["transaction_details"]["order_id"] = other
        told = await one.answered("charge", asked)
        theirs = one.last()
        assert theirs.same() == (*ours.same()[:3], asked)
        assert (told["status_code"], told["transaction_status"]) == ("201", "pending")
        assert (told["order_id"], told["gross_amount"]) == (other, "10000.00")
        assert "qr_string" in told if method == "qris" else told["va_numbers"][0]["bank"] == "bni"
        # Both are refused when they repeat the order.
        again = await one.sdk("charge", json.loads(ours.body))
        assert again["body"]["status_code"] == "406"
        assert (
            reference_of_order(json.loads(ours.body)["transaction_details"]["order_id"])
            == reference
        )

    with_booth(tmp_path, story)


def test_server_key_is_sent_like_the_sdk(tmp_path: Path) -> None:
    async def story(one: Booth) -> None:
        await opened(one)
        ours = one.last().headers["authorization"]
        await one.sdk("status", "no-such-order")
        assert one.last().headers["authorization"] == ours
        assert ours == "Basic U0ItTWlkLXNlcnZlci1URVNUOg=="

    with_booth(tmp_path, story)


def test_status_cancel_expire_and_refund_are_the_same_calls(tmp_path: Path) -> None:
    async def story(one: Booth) -> None:
        reference, made = await opened(one)
        order_id, asked = order_id_of(reference), about(made, reference)
        assert (await one.rail.ask(asked)).status is ProviderStatus.PENDING
        ours = one.last()
        told = await one.answered("status", order_id)
        assert one.last().method == ours.method
        assert one.last().path == ours.path
        assert (told["transaction_id"], told["transaction_status"]) == (
            made.provider_reference,
            "pending",
        )
        await one.act("pay", order_id)
        [paid] = (await one.rail.ask(asked)).payments
        assert (await one.answered("status", order_id))["transaction_status"] == "settlement"
        assert paid.number == f"midtrans:{made.provider_reference}"
        refund = await one.rail.refund(asked, str(paid.number), "RF-1", Rupiah(4_000))
        ours = one.last()
        # The same refund key refunds only once, whoever sends it.
        told = await one.answered("refundDirect", made.provider_reference, json.loads(ours.body))
        assert one.last().same() == ours.same()
        assert told["refund_chargeback_uuid"] == refund.provider_number
        assert (told["refund_amount"], told["transaction_status"]) == ("4000.00", "partial_refund")
        rest = {"refund_key": "RF-2", "amount": 6_000, "reason": "sisa"}
        assert (await one.answered("refund", order_id, rest))["transaction_status"] == "refund"
        lines = await one.rail.refunds_of(asked)
        assert [(line.number, line.amount.value) for line in lines] == [
            ("RF-1", 4_000),
            ("RF-2", 6_000),
        ]

    with_booth(tmp_path, story)


def test_cancelled_and_expired_charges_are_read_alike_by_sdk_and_adapter(tmp_path: Path) -> None:
    async def story(one: Booth) -> None:
        reference, made = await opened(one, "va")
        assert await one.rail.cancel(about(made, reference), "not wanted")
        ours = one.last()
        order_id = order_id_of(reference)
        told = await one.answered("cancel", order_id)
        assert one.last().same() == ours.same()
        assert (told["status_code"], told["transaction_status"]) == ("200", "cancel")
        reference, made = await opened(one)
        # Both treat a 407 in a body as an answer.
        told = await one.answered("expire", order_id_of(reference))
        assert (told["status_code"], told["transaction_status"]) == ("407", "expire")
        assert not await one.rail.cancel(about(made, reference), "not wanted")
        assert (await one.rail.ask(about(made, reference))).payments == ()

    with_booth(tmp_path, story)


def test_refusal_raises_in_the_sdk_and_in_our_adapter(tmp_path: Path) -> None:
    async def story(one: Booth) -> None:
        reference, made = await opened(one, "va")
        await one.act("pay", order_id_of(reference))
        with pytest.raises(ProviderRefused, match="412"):
            await one.rail.refund(
                about(made, reference), f"midtrans:{made.provider_reference}", "RF-1", AMOUNT
            )
        content = json.loads(one.last().body)
        told = await one.sdk("refundDirect", made.provider_reference, content)
        assert (told["refused"], told["body"]["status_code"]) == (200, "412")
        told = await one.sdk("status", "no-such-order")
        assert (told["refused"], told["body"]["status_code"]) == (404, "404")

    with_booth(tmp_path, story)


def test_notification_is_verified_by_the_sdk_and_by_us(tmp_path: Path) -> None:
    async def story(one: Booth) -> None:
        reference, made = await opened(one)
        await one.act("pay", order_id_of(reference))
        async with asyncio.timeout(30):
            await one.told_twice.wait()
        for body in one.news:
            told = json.loads(body)
            facts = (told["order_id"], told["status_code"], told["gross_amount"])
            assert told["signature_key"] == signature_of(*facts, KEY)
            assert one.rail.notification("", {}, body).said.reference == reference
            confirmed = await one.answered("notification", told)
            assert confirmed["transaction_status"] == "settlement"
            assert one.last().path.startswith(f"/v2/{made.provider_reference}/status")
        forged = json.loads(one.news[1]) | {"gross_amount": "20000.00"}
        with pytest.raises(NotificationForged):
            one.rail.notification("", {}, json.dumps(forged).encode())

    with_booth(tmp_path, story)
