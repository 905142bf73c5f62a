"""QRIS at a provider that speaks SNAP BI, as payments see it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from meterai.kit.clock import Clock
from meterai.payments.adapters.snap.demands import DEMANDS, UNDEMANDED, keys
from meterai.payments.adapters.snap.profile import ourselves_of, profile_of, qr_accounts_of
from meterai.payments.adapters.snap.provider import METHOD, SnapProvider, complaints
from meterai.payments.adapters.snap.reading import read_notification
from meterai.payments.adapters.snap.settings import SnapSettings
from meterai.payments.adapters.snap.wire import call_seconds_max
from meterai.payments.model import Method
from meterai.payments.rails import Complaints, Door, Rail, RailKind
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import Keyring

DAY_SECONDS = 86_400.0
NOTIFY_PATH = "/snap/v1.0/qr/qr-mpm-notify"
QRIS_RUPIAH_MAX = 10_000_000  # of one transaction (PADG 24/1/PADG/2022)
# Busy: 503 is not among the codes of SNAP BI; 504/00 says that it was not done and comes again.
BUSY_STATUS = 504
_PHRASES = {
    200: "Successful",
    408: "Request Timeout",
    409: "Conflict",
    413: "Request Entity Too Large",
    500: "General Error",
    503: "Service Unavailable",
    BUSY_STATUS: "Timeout",
}


def _answer(status: int, reason: str) -> dict[str, object]:
    """SNAP bodies, never problem+json; anything not 2xx is sent again."""
    message = _PHRASES.get(status, "Bad Request")
    if status == 401:
        message = f"Unauthorized. [{reason}]"
    return {"responseCode": f"{status}5200", "responseMessage": message}


@asynccontextmanager
async def _connect(settings: Settings, keyring: Keyring, clock: Clock) -> AsyncIterator[Rail]:
    provider = SnapProvider(profile_of(settings, keyring), clock)
    await provider.connect()
    try:
        yield provider
    finally:
        await provider.close()


def _needs(settings: Settings, keyring: Keyring) -> None:
    profile_of(settings, keyring)


def _complaints(settings: Settings) -> Complaints:
    return partial(complaints, ours=qr_accounts_of(settings.of(SnapSettings)))


SNAP_QRIS = RailKind(
    name="bank",
    methods=(Method(METHOD, amount_max=QRIS_RUPIAH_MAX),),
    prefix="",
    doors=(
        Door(
            path=NOTIFY_PATH,
            summary="QR MPM notification of the payment provider (SNAP BI 52)",
            headers=("channel-id", "x-external-id", "x-partner-id", "x-signature", "x-timestamp"),
            answer=_answer,
            busy=(BUSY_STATUS, _answer(BUSY_STATUS, "")),
        ),
    ),
    settings=SnapSettings,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
    keys=keys,
    needs=_needs,
    connect=_connect,
    complaints=_complaints,
    ourselves=lambda settings: ourselves_of(settings.of(SnapSettings)),
    reread=read_notification,
    timeout_seconds=lambda settings: settings.of(SnapSettings).bank_timeout_seconds,
    call_seconds_max=lambda settings: call_seconds_max(
        settings.of(SnapSettings).bank_timeout_seconds
    ),
    window_seconds=lambda settings: settings.of(SnapSettings).bank_window_days * DAY_SECONDS,
)
