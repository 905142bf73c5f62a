"""The `RailKind` of Midtrans."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import aiohttp

from meterai.payments.adapters.midtrans.provider import (
    CONNECTIONS_MAX,
    QRIS,
    VA,
    Merchant,
    MidtransRail,
    complaints,
)
from meterai.payments.adapters.midtrans.reading import PREFIX, read_notification
from meterai.payments.adapters.midtrans.settings import (
    DEMANDS,
    UNDEMANDED,
    MidtransSettings,
    keys,
    server_key,
)
from meterai.payments.model import PaymentIdentity, PaymentMethod
from meterai.payments.rails import Complaints, Connecting, ProviderEndpoint, Rail, RailKind
from meterai.payments.settings import PaymentSettings
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import Keyring

DAY_SECONDS = 86_400.0
NOTIFY_PATH = "/midtrans/notification"
QRIS_RUPIAH_MAX = 10_000_000  # of one transaction (PADG 24/1/PADG/2022)
VA_SECONDS = DAY_SECONDS  # Midtrans' own default


def _answer(status: int, reason: str) -> dict[str, object]:
    """The body of an answer to Midtrans, which reads only the HTTP status and repeats every call not answered with 200."""
    return {"status_code": str(status), "status_message": reason or "notification"}


def _merchant_of(settings: Settings, key: str) -> Merchant:
    own = settings.of(MidtransSettings)
    return Merchant(
        base_url=own.midtrans_url.rstrip("/"),
        server_key=key,
        merchant_id=own.midtrans_merchant_id,
        acquirer=own.midtrans_acquirer,
        va_bank=own.midtrans_va_bank,
        qr_accounts=_qr_accounts(settings),
        timeout_seconds=own.midtrans_timeout_seconds,
    )


def _qr_accounts(settings: Settings) -> frozenset[str]:
    own = settings.of(MidtransSettings)
    return frozenset({own.midtrans_merchant_id, *own.midtrans_qr_accounts.split()})


@asynccontextmanager
async def _connect(to: Connecting) -> AsyncIterator[Rail]:
    merchant = _merchant_of(to.settings, server_key(to.keyring))
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
        timeout=aiohttp.ClientTimeout(total=merchant.timeout_seconds),
        auto_decompress=False,
    ) as http:
        yield MidtransRail(merchant, to.clock, http)


def _needs(_settings: Settings, keyring: Keyring) -> None:
    server_key(keyring)


def _complaints(settings: Settings) -> Complaints:
    return partial(complaints, ours=_qr_accounts(settings))


def _timeout(settings: Settings) -> float:
    return settings.of(MidtransSettings).midtrans_timeout_seconds


MIDTRANS = RailKind(
    name="midtrans",
    methods=(
        PaymentMethod(QRIS, amount_max=QRIS_RUPIAH_MAX),
        PaymentMethod(VA, lapses_seconds=VA_SECONDS),
    ),
    prefix=PREFIX,
    endpoints=(
        ProviderEndpoint(
            path=NOTIFY_PATH,
            summary="HTTP notification of Midtrans",
            headers=(),
            answer=_answer,
            busy=(503, _answer(503, "")),
        ),
    ),
    settings=MidtransSettings,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
    keys=keys,
    needs=_needs,
    connect=_connect,
    complaints=_complaints,
    ourselves=lambda settings: PaymentIdentity(
        merchant=settings.of(MidtransSettings).midtrans_merchant_id
    ),
    reread=read_notification,
    timeout_seconds=_timeout,
    # Two requests, since a charge made before is queried; one second is for our own work.
    call_seconds_max=lambda settings: 2 * _timeout(settings) + 1.0,
    window_seconds=lambda settings: (
        settings.of(MidtransSettings).midtrans_window_days * DAY_SECONDS
    ),
    demands_requery=True,
    is_history_there=False,
    gives_back=frozenset({QRIS}),
)


def is_configured(settings: Settings) -> bool:
    """True if Midtrans is a rail of this installation."""
    return MIDTRANS.name in settings.of(PaymentSettings).payment_rails.split()
