"""Authentication of SNAP calls: access tokens, signatures, time stamps, and unique external ids.

The checks in their order, each with the SNAP BI code of its failure (HTTP status/case):
  1 headers present and well formed                 400/02, 400/01
  2 partner (or client key) known                   401/00
  3 X-TIMESTAMP near the bank's clock               401/00
  4 token, if it is there or the profile demands it 401/03 no bearer token, 401/01 unknown or old
  5 signature: symmetric with a token, else RSA     401/00
  6 X-EXTERNAL-ID not seen today (Jakarta)          409/00
The external id is recorded last, so that a call with a forged signature cannot use up the partner's
ids.
"""

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from standins import clock
from standins.bank import signing
from standins.bank.answers import Case, Refused
from standins.bank.partner import Partner
from standins.bank.store import Store
from standins.faults import Faults

TOKEN_SECONDS = 900  # SNAP BI: lifetime of a B2B access token
TIMESTAMP_TOLERANCE_SECONDS = 300.0  # not in the standard; five minutes is common practice
PARTNER_ID_CHARACTERS_MAX = 36  # SNAP BI, X-PARTNER-ID
CHANNEL_ID_CHARACTERS_MAX = 5  # SNAP BI, CHANNEL-ID
_HMAC_SHA512_BYTES = 64
_EXTERNAL_ID = re.compile(r"[0-9A-Za-z]{1,36}")  # SNAP BI 1.0.2


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came in.  `target` is path and query as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str, longest: int = 1024) -> str:
        """Return a mandatory header of at most `longest` characters. Raises `Refused`."""
        value = self.headers.get(name, "")
        if not value:
            raise Refused(Case.MISSING_FIELD, name)
        if len(value) > longest:
            raise Refused(Case.INVALID_FIELD, name)
        return value


class Authenticator:
    """Issues tokens to the only partner, and checks its calls."""

    def __init__(
        self,
        partner: Partner,
        calls: Literal["either", "symmetric", "asymmetric"],
        store: Store,
        faults: Faults,
    ) -> None:
        self._partner = partner
        self._calls = calls
        self._store = store
        self._faults = faults
        self._day = ""

    def issue_token(self, call: Call) -> str:
        """Return a new access token for a signed token request (service 73). Raises `Refused`."""
        client, signature = call.header("X-CLIENT-KEY"), call.header("X-SIGNATURE")
        timestamp = self._timestamp(call)
        if client != self._partner.client_id:
            raise Refused(Case.UNAUTHORIZED, "[Unknown client]")
        self._check_clock(timestamp)
        if not self._partner.key.is_signed(signature, f"{client}|{timestamp}".encode()):
            raise Refused(Case.UNAUTHORIZED, "[Signature]")
        token = secrets.token_urlsafe(32)
        now = clock.now_ms()
        self._store.add_token(token, now, now + TOKEN_SECONDS * 1000)
        return token

    def authenticate(self, call: Call) -> None:
        """Check a call of a service. Raises `Refused` with the code of the first failed check."""
        signature = call.header("X-SIGNATURE")
        partner = call.header("X-PARTNER-ID", PARTNER_ID_CHARACTERS_MAX)
        external_id = call.header("X-EXTERNAL-ID")
        call.header("CHANNEL-ID", CHANNEL_ID_CHARACTERS_MAX)
        timestamp = self._timestamp(call)
        if not _EXTERNAL_ID.fullmatch(external_id):
            raise Refused(Case.INVALID_FIELD, "X-EXTERNAL-ID")
        if partner != self._partner.client_id:
            raise Refused(Case.UNAUTHORIZED, "[Unknown partner]")
        self._check_clock(timestamp)
        is_symmetric = "Authorization" in call.headers or self._calls == "symmetric"
        if is_symmetric and self._calls != "asymmetric":
            is_signed = self._is_signed_with_token(call, signature, timestamp)
        else:
            is_signed = self._is_signed_with_key(call, signature, timestamp)
        if not is_signed:
            raise Refused(Case.UNAUTHORIZED, "[Signature]")
        self._record(external_id)

    def _timestamp(self, call: Call) -> str:
        timestamp = call.header("X-TIMESTAMP")
        try:
            clock.read_snap_time(timestamp)
        except ValueError:
            raise Refused(Case.INVALID_FIELD, "X-TIMESTAMP") from None
        return timestamp

    def _check_clock(self, timestamp: str) -> None:
        ahead = round(self._faults.seconds("clock_ahead_seconds") * 1000)
        apart = abs(clock.read_snap_time(timestamp) - clock.now_ms() - ahead)
        if apart > TIMESTAMP_TOLERANCE_SECONDS * 1000:
            raise Refused(Case.UNAUTHORIZED, "[X-TIMESTAMP is too far from the bank's clock]")

    def _is_signed_with_token(self, call: Call, signature: str, timestamp: str) -> bool:
        kind, _, token = call.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Refused(Case.TOKEN_NOT_FOUND)
        if not self._store.is_token_good(token, clock.now_ms()):
            raise Refused(Case.INVALID_TOKEN)
        found = signing.read_signature(signature, _HMAC_SHA512_BYTES)
        return any(
            hmac.compare_digest(
                found,
                signing.hmac_sha512(
                    self._partner.client_secret,
                    signing.symmetric_text(call.method, call.target, token, body, timestamp),
                ),
            )
            for body in (call.body, signing.minify(call.body))
        )

    def _is_signed_with_key(self, call: Call, signature: str, timestamp: str) -> bool:
        return any(
            self._partner.key.is_signed(
                signature, signing.asymmetric_text(call.method, call.target, body, timestamp)
            )
            for body in (call.body, signing.minify(call.body))
        )

    def _record(self, external_id: str) -> None:
        now = clock.now_ms()
        day = clock.wib(now).date().isoformat()
        if day != self._day:
            self._store.forget_calls(now)
            self._day = day
        if not self._store.add_call(external_id, now):
            raise Refused(Case.CONFLICT)
