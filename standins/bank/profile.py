"""Profiles: differences of a kind of bank from the standard in paths, signatures, times and spellings. Each is a TOML file
in `profiles`; an absent member has the value of the standard.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from standins import clock

_FOLDER = Path(__file__).with_name("profiles")
METHODS = {"28": "PUT", "31": "DELETE"}  # by service code; other services are called by POST
_VIRTUAL_ACCOUNT_DATA = "virtualAccountData"

Facts = dict[str, Any]


class UnknownProfile(ValueError):
    """No profile has this name."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of bank."""

    paths: Mapping[str, str]  # by service code; a service that is absent is not supported
    timestamp: Literal["seconds", "milliseconds", "utc"] = "seconds"
    calls: Literal["either", "symmetric", "asymmetric"] = "either"  # of the merchant's calls
    inbound_signature: Literal["symmetric", "asymmetric"] = (
        "asymmetric"  # signatures of this bank's calls
    )
    is_spaced: bool = False  # sends JSON with white space, and signs minified JSON
    qr_service: str = "47"  # serviceCode of a QR's query
    terminal_in_info: bool = False  # terminalId is in additionalInfo
    refunds_in_query: bool = False  # additionalInfo.refundHistory of a QR's query
    virtual_account_data: str = _VIRTUAL_ACCOUNT_DATA
    numbers: list[str] = field(default_factory=list)  # members written as numbers
    payment_type: Literal["text", "number"] = "text"
    inquires: bool = True  # asks the merchant (24) before a payment, if it has an endpoint
    status_after_seconds: float = 0.0  # from a payment until service 26 knows it
    refused_payment: Literal["kept", "reversed"] = "kept"  # money that the merchant refuses (25)

    def time(self, moment_ms: int) -> str:
        """Return a moment (milliseconds since 1970) in the form of X-TIMESTAMP."""
        match self.timestamp:
            case "seconds":
                return clock.snap_time(moment_ms)
            case "milliseconds":
                return clock.wib(moment_ms).isoformat(timespec="milliseconds")
            case "utc":
                return f"{clock.utc(moment_ms):%Y-%m-%dT%H:%M:%SZ}"

    def spelled(self, facts: Facts) -> Facts:
        """Return the members of an answer in the spelling of this bank."""

        def value(name: str, found: Any) -> Any:
            return int(found) if name in self.numbers and isinstance(found, str) else found

        found = {
            self.virtual_account_data if name == _VIRTUAL_ACCOUNT_DATA else name: value(name, one)
            for name, one in facts.items()
        }
        if self.terminal_in_info and "terminalId" in found:
            info = {"terminalId": found.pop("terminalId")}
            found["additionalInfo"] = found.get("additionalInfo", {}) | info
        return found

    def sent(self, body: bytes) -> bytes:
        """Return the body as it is sent; the signed body is minified."""
        if not self.is_spaced:
            return body
        try:
            return json.dumps(json.loads(body)).encode()
        except (ValueError, RecursionError):  # a test may send a body that is not JSON
            return body


def profile_of(name: str) -> Profile:
    """Return the profile of this name. Raises `UnknownProfile`."""
    path = _FOLDER / f"{name}.toml"
    if not path.is_file() or path.parent != _FOLDER:
        known = ", ".join(sorted(one.stem for one in _FOLDER.glob("*.toml")))
        raise UnknownProfile(f"no profile is called {name!r}; there are {known}")
    return Profile(**tomllib.loads(path.read_text(encoding="utf-8")))
