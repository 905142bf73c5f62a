"""A stand-in bank for one test, without the rest of an instance, and the provider that calls it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

import standins
from meterai.kit.clock import SystemClock
from meterai.kit.money import Rupiah
from meterai.payments.adapters.snap import Access, SnapBank
from meterai.payments.adapters.snap.provider import SnapProvider
from meterai.payments.model import OpenedAttempt, PaymentQr
from standins.bank import qris, signing
from tests.support.keys import BANK_KEY, OUR_KEY, pem_of, public_pem_of

CLIENT, SECRET, MERCHANT = "METERAI", "not so secret", "METERAI"


def prepare(directory: Path) -> None:
    """Write the key of the bank to the path from which the bank reads it."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / signing.KEY_FILE).write_bytes(pem_of(BANK_KEY))


def profile(url: str, **changes: Any) -> Access:
    """Our access data for a bank at this address."""
    bank = SnapBank(
        url=url,
        **{
            "name": "bank",
            "client_id": CLIENT,
            "merchant_id": MERCHANT,
            "client_secret": SECRET,
            "qr_accounts": f"{qris.MERCHANT_PAN} {qris.NATIONAL_MERCHANT_ID}",
            **changes,
        },
    )
    return Access(bank, bank.spoken, SECRET, OUR_KEY, BANK_KEY.public_key(), b"token key")


@dataclass
class Bank:
    """The control API of a stand-in bank, and the provider that calls the bank."""

    url: str
    provider: SnapProvider
    http: aiohttp.ClientSession

    async def control(self, path: str, **body: object) -> Any:
        """POST to `/standin/...`."""
        async with self.http.post(f"{self.url}/standin/{path}", json=body) as answer:
            found = await answer.json()
            assert answer.status == 200, found
            return found

    async def look(self, path: str) -> Any:
        """GET from `/standin/...`."""
        async with self.http.get(f"{self.url}/standin/{path}") as answer:
            return await answer.json()

    async def answers(self, service: str, *answers: dict[str, Any]) -> None:
        """Set the answers to the next calls of a service."""
        await self.control("answers", service=service, answers=list(answers))

    async def paid(self, reference: str, rupiah: int = 10_000) -> tuple[str, str]:
        """Make a QR and pay it. Return the content of the QR and the number of the payment."""
        made = await self.provider.open("qris", reference, Rupiah(rupiah), soon())
        assert isinstance(made, OpenedAttempt)
        assert isinstance(made.instructions, PaymentQr)
        payment = await self.control("pay", qr_content=made.instructions.content)
        return made.instructions.content, payment["rrn"]


def soon() -> datetime:
    """Expiry time for a QR."""
    return datetime.now(UTC) + timedelta(minutes=10)


@asynccontextmanager
async def open_bank(
    directory: Path, *, timeout_seconds: float = 5.0, notify_url: str = "http://127.0.0.1:9/"
) -> AsyncIterator[Bank]:
    """A new bank. By default its notifications go to an address where nothing listens."""
    prepare(directory)
    running = await standins.start(
        standins.Options(directory, CLIENT, SECRET, public_pem_of(OUR_KEY), notify_url, MERCHANT)
    )
    provider = SnapProvider(
        profile(running.bank_url, timeout_seconds=timeout_seconds), SystemClock()
    )
    await provider.connect()
    try:
        async with aiohttp.ClientSession() as http:
            yield Bank(running.bank_url, provider, http)
    finally:
        await provider.close()
        await running.stop()
