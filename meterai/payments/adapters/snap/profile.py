"""Profiles: deviations of kinds of banks from SNAP BI, in files of the folder `profiles`.

A member that a profile leaves out has the value of the standard.  Profiles do not affect parsing: answers and calls of every
bank are parsed with the same tolerance.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Literal

import msgspec

from meterai.kit.clock import WIB
from meterai.plumbing.toml import read_toml

PROFILES_MAX = 32  # in the cache; more than there are


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The deviations of one kind of bank.

    paths          paths of services below `base`, by service code; a service without a path is not called
    verbs          HTTP methods of those services that do not use POST, by service code
    timestamp      form of X-TIMESTAMP
    signature      kind of our signatures, unless the configuration of the bank names another
    inbound_signature  kind of the bank's signatures in its calls to us
    encoding       encoding of our signatures
    qr_service     the code by which a query of a QR names the service that made the QR
    terminal_in_info  True if a query of a QR names the terminal in additionalInfo
    refunds_in_query  True if refunds of a QR are in the answer to its query, not in the transaction detail (service 13)
    account_data   the spelling of the name of the JSON member with the facts of a virtual account
    customer_digits   digits of a virtual account's number after the id of our service
    """

    paths: Mapping[str, str]
    base: str = ""
    verbs: Mapping[str, str] = msgspec.field(default_factory=lambda: {"31": "DELETE"})
    timestamp: Literal["seconds", "milliseconds", "utc"] = "seconds"
    signature: Literal["symmetric", "asymmetric"] = "symmetric"
    inbound_signature: Literal["symmetric", "asymmetric"] = "asymmetric"
    encoding: Literal["base64", "hex"] = "base64"
    channel_id: str = "95221"
    partner_header: str = "X-PARTNER-ID"
    qr_service: str = "47"
    terminal_in_info: bool = False
    refunds_in_query: bool = False
    account_data: str = "virtualAccountData"
    customer_digits: int = 12

    def time(self, at: datetime) -> str:
        """A time in the form that this bank expects in X-TIMESTAMP."""
        if self.timestamp == "utc":
            return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return at.astimezone(WIB).isoformat(timespec=self.timestamp)


def names() -> list[str]:
    """Names of all profiles."""
    return sorted(
        one.name.removesuffix(".toml") for one in _folder().iterdir() if one.name.endswith(".toml")
    )


@lru_cache(PROFILES_MAX)
def profile_named(name: str) -> Profile:
    """The profile of this name.  Raises `ValueError` if no profile has this name."""
    if name not in names():
        raise ValueError(f"no profile {name!r}; the profiles are {', '.join(names())}")
    return msgspec.convert(read_toml((_folder() / f"{name}.toml").read_text()), Profile)


def _folder() -> Traversable:
    return resources.files("meterai.payments.adapters.snap") / "profiles"
