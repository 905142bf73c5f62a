"""The toy rail: an account number for each attempt, by JSON over HTTP."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec

from meterai.kit.clock import Clock
from meterai.kit.money import Rupiah
from meterai.payments.metrics import count_call
from meterai.payments.model import (
    AboutAnother,
    AccountNumber,
    AttemptStatus,
    Delivered,
    Instructions,
    MadeBefore,
    Movement,
    MovementKind,
    NoAnswer,
    Notification,
    NotificationForged,
    OpenedAttempt,
    OutcomeUnknown,
    Payment,
    PaymentIdentity,
    PaymentMethod,
    ProviderRefused,
    ProviderStatus,
    ProviderUnreachable,
    RefundLine,
    RefundMade,
    UnmatchedLine,
    differences,
)
from meterai.payments.rails import Complaints, Connecting, ProviderEndpoint, Rail, RailKind
from meterai.plumbing.config import ConfigurationWrong, Settings
from meterai.plumbing.keyring import Keyring
from tests.toy_rail.settings import ToySettings
from tests.toy_rail.signing import HEADER, signed, signed_at

BANK = "TOY"
METHOD = "virtual_account"
PREFIX = "toy:"  # prefix of payment numbers, which another bank may use too
NOTIFY_PATH = "/hooks/toy"
SKEW_SECONDS_MAX = 300
WINDOW_SECONDS = 30 * 86_400.0
_STATUSES = {
    "open": ProviderStatus.PENDING,
    "paid": ProviderStatus.PAID,
    "closed": ProviderStatus.CANCELLED,
    "none": ProviderStatus.UNKNOWN,
}

Json = dict[str, Any]


def read_notification(body: bytes) -> Notification:
    """Read the bank's notification of one payment."""
    try:
        told = msgspec.json.decode(body, type=Json)
        amount = Rupiah(told["amount"])
        word = str(told["state"])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return Notification(is_readable=False)
    return Notification(
        is_readable=True,
        reference=told.get("reference"),
        status=_STATUSES.get(word),
        word=word,
        number=PREFIX + told["payment"] if "payment" in told else None,
        amount=amount,
        is_amount_told=True,
    )


def complaints(instructions: Instructions, amount: int, number: str) -> Iterator[str]:
    """An account number of this bank ends in the bank's number of the attempt."""
    del amount  # the bank accepts no other sum
    if not isinstance(instructions, AccountNumber):
        yield "not an account number"
    elif instructions.bank != BANK or not instructions.number.endswith(number):
        yield "of another account"


class ToyRail:
    """Client of the toy bank: a `Rail`."""

    def __init__(self, settings: ToySettings, clock: Clock, http: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._clock = clock
        self._http = http

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """A repeat gets the same answer from the bank, so `MadeBefore` never occurs."""
        assert method == METHOD
        told = {"amount": amount.value, "until": expires_at.isoformat()}
        about = PaymentIdentity(reference=reference)
        answer = await self._call("PUT", f"/numbers/{reference}", about, told)
        return OpenedAttempt(AccountNumber(BANK, answer["number"]), answer["id"])

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Status of an account number, with every payment to it."""
        answer = await self._call("GET", f"/numbers/{about.reference}", about)
        payments = tuple(
            Payment(PREFIX + one["id"], Rupiah(one["amount"]), ProviderStatus.PAID)
            for one in answer["payments"]
        )
        return AttemptStatus(_STATUSES[answer["state"]], payments)

    async def cancel(self, about: PaymentIdentity, reason: str) -> bool:
        """Close an account number. The bank leaves a paid one open."""
        answer = await self._call(
            "DELETE", f"/numbers/{about.reference}", about, {"reason": reason}
        )
        return bool(answer["state"] == "closed")

    async def refund(
        self, about: PaymentIdentity, payment: str, number: str, amount: Rupiah
    ) -> RefundMade:
        """Refund under our refund number."""
        told = {
            "reference": about.reference,
            "payment": payment.removeprefix(PREFIX),
            "amount": amount.value,
        }
        answer = await self._call("PUT", f"/refunds/{number}", about, told)
        return RefundMade(answer["id"])

    async def refunded(
        self, about: PaymentIdentity, number: str, amount: Rupiah
    ) -> RefundMade | None:
        """Status of a refund, found among all refunds of the account number."""
        for line in await self.refunds_of(about):
            if line.number == number and line.amount == amount:
                return RefundMade(str(line.provider_number))
        return None

    async def refunds_of(self, about: PaymentIdentity) -> tuple[RefundLine, ...]:
        """Every refund of an account number."""
        answer = await self._call("GET", f"/refunds-of/{about.reference}", about)
        return tuple(
            RefundLine(one["number"], one["id"], PREFIX + one["payment"], Rupiah(one["amount"]))
            for one in answer["refunds"]
        )

    async def history(
        self, begins: datetime, ends: datetime
    ) -> AsyncIterator[Movement | UnmatchedLine]:
        """The record of the bank."""
        told = {"begins": begins.timestamp(), "ends": ends.timestamp()}
        answer = await self._call("POST", "/record", PaymentIdentity(), told)
        for one in answer["lines"]:
            yield Movement(
                MovementKind(one["kind"]),
                datetime.fromtimestamp(one["at"], UTC),
                one["reference"],
                PREFIX + one["payment"],
                Rupiah(one["amount"]),
                one["refund"],
                one["refund_id"],
            )

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Refuses `NotificationForged`."""
        at = signed_at(self._settings.toy_secret, headers.get(HEADER, ""), body)
        if at is None or abs(self._clock.now().timestamp() - at) > SKEW_SECONDS_MAX:
            raise NotificationForged("the signature does not fit")
        return Delivered(
            headers.get("toy-delivery"),
            datetime.fromtimestamp(at, UTC).date(),
            read_notification(body),
        )

    async def _call(
        self, method: str, path: str, about: PaymentIdentity, content: Json | None = None
    ) -> Json:
        """Call the bank, and check that its answer is about the same number."""
        body = msgspec.json.encode(content)
        at = int(self._clock.now().timestamp())
        name = f"toy-{path.split('/')[1]}"
        try:
            found = await self._answered(method, path, body, at)
            told = PaymentIdentity(reference=found.get("reference"))
            if others := differences(about, told):
                raise AboutAnother(others, told)
        except (ProviderRefused, OutcomeUnknown, ProviderUnreachable) as refusal:
            count_call(name, refusal.code)
            raise
        count_call(name, "done")
        return found

    async def _answered(self, method: str, path: str, body: bytes, at: int) -> Json:
        url, headers = self._settings.toy_url, {HEADER: signed(self._settings.toy_secret, at, body)}
        try:
            async with self._http.request(method, url + path, data=body, headers=headers) as answer:
                status, raw = answer.status, await answer.read()
        except aiohttp.ClientConnectorError as error:
            raise ProviderUnreachable(repr(error)) from None
        except (TimeoutError, aiohttp.ClientError) as error:
            raise NoAnswer(repr(error)) from None
        if 400 <= status < 500:
            raise ProviderRefused(str(status), raw.decode(errors="replace")[:100])
        if status != 200:
            raise OutcomeUnknown(f"HTTP {status}")
        found: Json = msgspec.json.decode(raw, type=Json)
        return found


@asynccontextmanager
async def _connect(to: Connecting) -> AsyncIterator[Rail]:
    own = to.settings.of(ToySettings)
    timeout = aiohttp.ClientTimeout(total=own.toy_timeout_seconds)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        yield ToyRail(own, to.clock, http)


def _needs(settings: Settings, _keyring: Keyring) -> None:
    if not settings.of(ToySettings).toy_secret:
        raise ConfigurationWrong("toy_secret", "settings", "missing")


def _complaints(_settings: Settings) -> Complaints:
    return complaints


def _answer(status: int, reason: str) -> dict[str, object]:
    return {"kept": status == 200, "why": reason}


def _timeout(settings: Settings) -> float:
    return settings.of(ToySettings).toy_timeout_seconds


TOY = RailKind(
    name="toy",
    methods=(PaymentMethod(METHOD),),
    prefix=PREFIX,
    endpoints=(
        ProviderEndpoint(
            path=NOTIFY_PATH,
            summary="Notification of the toy bank",
            headers=(HEADER, "toy-delivery"),
            answer=_answer,
            busy=(503, _answer(503, "")),
        ),
    ),
    settings=ToySettings,
    needs=_needs,
    connect=_connect,
    complaints=_complaints,
    ourselves=lambda _settings: PaymentIdentity(),  # the bank has one merchant
    reread=read_notification,
    timeout_seconds=_timeout,
    call_seconds_max=_timeout,
    window_seconds=lambda _settings: WINDOW_SECONDS,
)
