"""HTTP client of a watcher: new connections for each probe, verified certificates, and a limit on each answer.

Every failure is a `TryFailed` with a code for people; messages of the platform or of a library are not passed on.
"""

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from meterai.kit.clock import Clock
from meterai.plumbing.readings import FAULT_PATTERN

ANSWER_BYTES_MAX = 4 * 1024 * 1024  # the largest answer, a stamped file, has 40 KB
KEPT_SECONDS = (
    2.0  # life of an idle connection: for the next step of a probe, not for the next probe
)
ANSWER_SECONDS_MAX = 10.0  # of a request outside a try; a try has its own limit
SKEW_SECONDS_MAX = 60.0  # a QR is valid for minutes; a time-stamp that is off by more is useless
ENDS_WITHIN_SECONDS = 3 * 86_400.0  # a certificate that expires so soon should have been renewed
UNREADABLE = "answer_unreadable"  # fault of an answer in an unknown form
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_CODE = re.compile(FAULT_PATTERN)


class TryFailed(Exception):
    """Raised if a try failed.  `fault` is the code of the fault; a text that is not a valid code becomes `answer_unreadable`."""

    def __init__(self, fault: str) -> None:
        self.fault = fault if _CODE.match(fault) else UNREADABLE
        super().__init__(self.fault)


@dataclass(frozen=True, slots=True)
class ProbeResponse:
    """Answer of the platform: status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body as JSON.  Raises `TryFailed`."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, RecursionError):
            raise TryFailed(UNREADABLE) from None

    def field(self, *path: str) -> Any:
        """Return a field of the JSON body by its path of names; None if the body has no such field."""
        found = self.json
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    @property
    def fault(self) -> str:
        """Return the code of the refusal in the platform's answer; if the answer has no code, `status_` and the HTTP status."""
        if "json" in self.headers.get("content-type", ""):
            found = self.field("code")
            if isinstance(found, str) and _CODE.match(found):
                return found
        return f"status_{self.status}"

    def must_be(self, *statuses: int) -> "ProbeResponse":
        """Return the answer itself if it has one of these statuses.  Raises `TryFailed` for any other."""
        if self.status not in statuses:
            raise TryFailed(self.fault)
        return self


class Stranger:
    """HTTP client of one installation, with the rights of any visitor; a request `with_key` uses an account's API key."""

    def __init__(self, base: str, clock: Clock, *, key: str = "", authorities: str = "") -> None:
        self.base = base
        self.has_key = bool(key)
        self.skew_seconds = 0.0  # by which the platform's clock is ahead, by its last answer
        self.context = ssl.create_default_context()
        if authorities:
            self.context.load_verify_locations(authorities)
        self._key = {"Authorization": f"Bearer {key}"} if key else {}
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Stranger":
        connector = aiohttp.TCPConnector(ssl=self.context, keepalive_timeout=KEPT_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX),
            headers={"User-Agent": "meterai-watch", "Accept-Language": "en"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(
        self, method: str, path: str, *, with_key: bool = False, **how: Any
    ) -> ProbeResponse:
        """Send one request to the installation, or to an absolute URL; `how` are further arguments for aiohttp.  Raises
        `TryFailed`.
        """
        assert self._session is not None, "the client is used as a context"
        url = path if path.startswith("http") else self.base + path
        headers = dict(how.pop("headers", {})) | (self._key if with_key else {})
        try:
            async with self._session.request(
                method, url, headers=headers, allow_redirects=False, **how
            ) as answer:
                body = await answer.content.read(ANSWER_BYTES_MAX)
                while not answer.content.at_eof() and len(body) <= ANSWER_BYTES_MAX:
                    body += await answer.content.read(ANSWER_BYTES_MAX)
                found = ProbeResponse(
                    answer.status,
                    {name.lower(): text for name, text in answer.headers.items()},
                    body,
                )
                cookies = "; ".join(f"{one.key}={one.value}" for one in answer.cookies.values())
        except (aiohttp.ClientError, OSError, TimeoutError, ssl.SSLError) as error:
            raise TryFailed(_fault(error)) from None
        if url.startswith(self.base):
            self._look_at_clock(found)
        return ProbeResponse(found.status, {**found.headers, "cookies": cookies}, body)

    def _look_at_clock(self, answer: ProbeResponse) -> None:
        try:
            said = parsedate_to_datetime(answer.headers.get("date", ""))
        except (ArithmeticError, TypeError, ValueError):
            return
        if said.tzinfo is None:  # the zone `-0000` of RFC 5322 means UTC
            said = said.replace(tzinfo=UTC)
        self.skew_seconds = (said - self._clock.now()).total_seconds()

    async def certificate_fault(self) -> str:
        """Return the code of the fault if the platform's TLS certificate expires within three days, else an empty text.

        Without TLS the text is empty too.  Raises `TryFailed`.
        """
        address = urlsplit(self.base)
        if address.scheme != "https":
            return ""
        try:
            _, writer = await asyncio.open_connection(
                address.hostname, address.port or 443, ssl=self.context
            )
        except (OSError, ssl.SSLError) as error:
            raise TryFailed(_fault(error)) from None
        found: ssl.SSLObject = writer.get_extra_info("ssl_object")
        ends_at = ssl.cert_time_to_seconds(str((found.getpeercert() or {})["notAfter"]))
        writer.close()
        left = ends_at - self._clock.now().timestamp()
        return "certificate_ends" if left < ENDS_WITHIN_SECONDS else ""


def _fault(error: BaseException) -> str:
    wrong = getattr(error, "certificate_error", error)
    if isinstance(wrong, ssl.SSLCertVerificationError):
        return "certificate_expired" if wrong.verify_code == _EXPIRED else "certificate_wrong"
    return "timeout" if isinstance(error, TimeoutError) else "unreachable"


def iso(at: datetime) -> str:
    """Format a time in UTC for our files, as 2026-11-30T01:00:00Z."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
