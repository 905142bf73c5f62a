"""A stand-in for the toy bank: account numbers, payments and refunds in memory, over HTTP."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from tests.toy_rail.signing import HEADER, signed, signed_at

Json = dict[str, Any]


@dataclass
class Number:
    """One account number and its payments."""

    id: str
    number: str
    amount: int
    state: str = "open"
    payments: list[Json] = field(default_factory=list)


@dataclass
class ToyBank:
    """The state of the bank."""

    secret: str
    numbers: dict[str, Number] = field(default_factory=dict)  # by our reference
    refunds: dict[str, Json] = field(default_factory=dict)  # by our refund number
    record: list[Json] = field(default_factory=list)
    url: str = ""

    def pay(self, account_number: str, payment: str) -> tuple[dict[str, str], bytes]:
        """A customer transfers the amount. Return headers and body of the bank's notification."""
        [(reference, found)] = [
            (reference, one)
            for reference, one in self.numbers.items()
            if one.number == account_number
        ]
        assert found.state != "closed"
        found.state = "paid"
        found.payments.append({"id": payment, "amount": found.amount})
        self._moved("payment", reference, payment, found.amount)
        told = {"reference": reference, "state": "paid", "payment": payment, "amount": found.amount}
        return self.notice(told, delivery=payment)

    def notice(self, told: Json, *, delivery: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of a notification."""
        body = msgspec.json.encode(told)
        at = int(time.time())
        return {HEADER: signed(self.secret, at, body), "toy-delivery": delivery}, body

    def _moved(self, kind: str, reference: str, payment: str, amount: int, **more: str) -> None:
        line = {"kind": kind, "reference": reference, "payment": payment, "amount": amount}
        number = {"refund": more.get("refund"), "refund_id": more.get("refund_id")}
        self.record.append(line | number | {"at": time.time()})

    # -- services --------------------------------------------------------------------------

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one call if it is signed."""
        body = await request.read()
        if signed_at(self.secret, request.headers.get(HEADER, ""), body) is None:
            return web.json_response({"error": "unsigned"}, status=401)
        told = msgspec.json.decode(body) or {}
        what, name = request.match_info["what"], request.match_info.get("name", "")
        acts = {
            ("PUT", "numbers"): self._make,
            ("GET", "numbers"): self._show,
            ("DELETE", "numbers"): self._close,
            ("PUT", "refunds"): self._refund,
            ("GET", "refunds-of"): self._refunds,
            ("POST", "record"): self._record,
        }
        return web.json_response(acts[request.method, what](name, told))

    def _make(self, reference: str, told: Json) -> Json:
        one = f"{len(self.numbers) + 1:06}"
        made = self.numbers.setdefault(reference, Number(one, f"8808{one}", told["amount"]))
        return {"id": made.id, "number": made.number}

    def _show(self, reference: str, _told: Json) -> Json:
        found = self.numbers.get(reference)
        if found is None:
            return {"state": "none", "payments": []}
        return {"state": found.state, "payments": found.payments}

    def _close(self, reference: str, _told: Json) -> Json:
        found = self.numbers[reference]
        found.state = "closed" if found.state == "open" else found.state
        return {"state": found.state}

    def _refund(self, number: str, told: Json) -> Json:
        if number not in self.refunds:
            made = told | {"number": number, "id": f"R{len(self.refunds) + 1}"}
            self.refunds[number] = made
            about = (told["reference"], told["payment"], told["amount"])
            self._moved("refund", *about, refund=number, refund_id=made["id"])
        return self.refunds[number]

    def _refunds(self, reference: str, _told: Json) -> Json:
        return {"refunds": [one for one in self.refunds.values() if one["reference"] == reference]}

    def _record(self, _name: str, told: Json) -> Json:
        lines = [one for one in self.record if told["begins"] <= one["at"] < told["ends"]]
        return {"lines": lines}


@asynccontextmanager
async def toy_bank(secret: str) -> AsyncIterator[ToyBank]:
    """The bank, listening on loopback."""
    bank = ToyBank(secret)
    app = web.Application()
    app.router.add_route("*", "/{what}/{name}", bank.answer)
    app.router.add_route("*", "/{what}", bank.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    bank.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield bank
    finally:
        await runner.cleanup()
