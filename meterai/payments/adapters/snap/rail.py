"""The `RailKind` of banks with SNAP BI: the first bank is described by settings, further banks by files."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from meterai.kit.clock import Clock
from meterai.payments.adapters.snap import demands
from meterai.payments.adapters.snap.bank import (
    FIRST,
    QRIS,
    SnapBank,
    access_to,
    bank_of_file,
    first_bank,
    known_methods,
)
from meterai.payments.adapters.snap.desk import SERVICES, TOKEN_WRONG
from meterai.payments.adapters.snap.provider import HISTORY, SnapProvider
from meterai.payments.adapters.snap.qris import complaints as of_qr
from meterai.payments.adapters.snap.reading import prefixed, read_notification
from meterai.payments.adapters.snap.settings import SnapSettings
from meterai.payments.adapters.snap.virtual_account import complaints as of_account
from meterai.payments.adapters.snap.wire import call_seconds_max
from meterai.payments.model import AccountNumber, Instructions, ProviderCallKind
from meterai.payments.rails import Family, InquiryDesk, Payouts, ProviderEndpoint, Rail, RailKind
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import Keyring

DAY_SECONDS = 86_400.0
# Paths below /snap that banks call.  A bank signs the path of its call; we sign none of these.
PATHS = {
    ProviderCallKind.NOTIFICATION: "/v1.0/qr/qr-mpm-notify",
    ProviderCallKind.TOKEN: "/v1.0/access-token/b2b",
    ProviderCallKind.INQUIRY: "/v1.0/transfer-va/inquiry",
    ProviderCallKind.PAYMENT: "/v1.0/transfer-va/payment",
}
NOTIFY_PATH = f"/snap{PATHS[ProviderCallKind.NOTIFICATION]}"
_SUMMARIES = {
    ProviderCallKind.NOTIFICATION: "QR MPM notification of the payment provider (SNAP BI 52)",
    ProviderCallKind.TOKEN: "Access token for calls of a bank to us (SNAP BI 73)",
    ProviderCallKind.INQUIRY: "Inquiry of a bank about a virtual account (SNAP BI 24)",
    ProviderCallKind.PAYMENT: "Payment into a virtual account (SNAP BI 25)",
}
_HEADERS = ("channel-id", "x-external-id", "x-partner-id", "x-signature", "x-timestamp")
# HTTP status of a busy process: SNAP BI has no code 503; after 504/00 a bank repeats the call.
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


def _answer(service: str, status: int, reason: str) -> dict[str, object]:
    """The body of an answer in the form of SNAP BI, not problem+json; a bank sends a call again if the status is not 2xx."""
    message, case = _PHRASES.get(status, "Bad Request"), "00"
    if status == 401:
        case = "01" if reason == TOKEN_WRONG else "00"
        message = reason if reason == TOKEN_WRONG else f"Unauthorized. [{reason}]"
    return {"responseCode": f"{status}{service}{case}", "responseMessage": message}


def _endpoints(name: str) -> tuple[ProviderEndpoint, ...]:
    """The webhook endpoints below /snap{name}; `name` is empty for the first bank, else a slash and the bank's name."""
    return tuple(
        ProviderEndpoint(
            kind=kind,
            path=f"/snap{name}{path}",
            summary=_SUMMARIES[kind],
            headers=(*_HEADERS, "x-client-key") if kind is ProviderCallKind.TOKEN else _HEADERS,
            answer=partial(_answer, SERVICES[kind]),
            busy=(BUSY_STATUS, _answer(SERVICES[kind], BUSY_STATUS, "")),
        )
        for kind, path in PATHS.items()
    )


def endpoint_path(bank: str, kind: ProviderCallKind) -> str:
    """The path of our webhook endpoint for calls of this kind by the bank of this name."""
    return f"/snap{'' if bank == FIRST else f'/{bank}'}{PATHS[kind]}"


@asynccontextmanager
async def _connect(bank: SnapBank, keyring: Keyring, clock: Clock) -> AsyncIterator[Rail]:
    provider = SnapProvider(access_to(bank, keyring), clock)
    await provider.connect()
    try:
        yield provider
    finally:
        await provider.close()


def _complaints(bank: SnapBank, told: Instructions, amount: int, number: str) -> Iterator[str]:
    if isinstance(told, AccountNumber):
        return of_account(told, amount, number, bank=bank)
    return of_qr(told, amount, number, ours=bank.qr_names)


def _payouts(rail: Rail) -> Payouts | None:
    assert isinstance(rail, SnapProvider)
    return rail.payouts


def _desk(rail: Rail) -> InquiryDesk:
    assert isinstance(rail, SnapProvider)
    return rail.desk


def _kind(name: str, bank_of: Callable[[Settings], SnapBank], **more: Any) -> RailKind:
    prefix = "" if name == FIRST else f"{name}:"

    def timeout(settings: Settings) -> float:
        return bank_of(settings).timeout_seconds

    return RailKind(
        name=name,
        prefix=prefix,
        keys=lambda settings: demands.keys(bank_of(settings), settings),
        needs=lambda settings, keyring: _needs(bank_of(settings), keyring),
        connect=lambda to: _connect(bank_of(to.settings), to.keyring, to.clock),
        complaints=lambda settings: partial(_complaints, bank_of(settings)),
        ourselves=lambda settings: bank_of(settings).ourselves,
        reread=lambda body: prefixed(prefix, read_notification(body)),
        timeout_seconds=timeout,
        call_seconds_max=lambda settings: call_seconds_max(timeout(settings)),
        window_seconds=lambda settings: bank_of(settings).window_days * DAY_SECONDS,
        payouts=_payouts,
        desk=_desk,
        gives_back=frozenset({QRIS}),  # SNAP BI has no refund of a virtual account
        **more,
    )


def _needs(bank: SnapBank, keyring: Keyring) -> None:
    access_to(bank, keyring)


def _member(name: str, told: Mapping[str, object], source: str) -> RailKind:
    bank = bank_of_file(name, told, source)
    return _kind(
        name,
        lambda _settings: bank,
        methods=bank.offered,
        endpoints=_endpoints(f"/{name}"),
        settings=SnapSettings,
        demands=demands.file_demands(bank),
        is_history_there=HISTORY in bank.spoken.paths,
    )


_NOBODY = SnapBank(name=FIRST, url="", client_id="", merchant_id="")
SNAP_QRIS = _kind(
    FIRST,
    first_bank,
    methods=tuple(known_methods(_NOBODY).values()),
    offered=lambda settings: first_bank(settings).offered,
    endpoints=_endpoints(""),
    settings=SnapSettings,
    demands=demands.DEMANDS,
    undemanded=demands.UNDEMANDED,
    family=Family(name="snap", endpoints=_endpoints("/{rail:str}"), member=_member),
)
