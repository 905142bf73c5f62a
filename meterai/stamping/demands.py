"""Checks of the configuration in production: the issuer, its keys, and the check address on stamps."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from meterai.commands import (
    LOAD,
    TIME,
    Demand,
    Facts,
    is_a_public_host,
    open_key_files,
    split_url,
)
from meterai.kit.clock import SystemClock
from meterai.kit.refusal import Refusal
from meterai.plumbing.config import Configuration
from meterai.sealing import check_printable
from meterai.stamping.issuers import issuers_of
from meterai.stamping.service.rows import CHECK_PATH


def _issuer(of: Configuration) -> Iterator[Facts]:
    try:
        current = issuers_of(of.settings, SystemClock()).current
    except Refusal as refusal:
        yield {"reason": str(refusal)}
        return
    if any("SPECIMEN" in one.subject.rfc4514_string() for one in current.chain):
        yield {"reason": f"{current.name} is an issuer for development"}
    if current.claim_key is None:
        yield {"reason": "it has no claim.key"}


def _check_address(of: Configuration) -> Iterator[Facts]:
    # An address that nobody can reach is reported by the demand `public_address`.
    url = of.settings.process.public_url
    parts = split_url(url)
    if parts is None or parts.username or not is_a_public_host(parts.netloc):
        return
    if url != f"https://{parts.netloc}":
        return
    try:
        check_printable(url + CHECK_PATH)
    except ValueError as fault:
        yield {"found": url, "reason": str(fault)}


def _keys_closed(of: Configuration) -> Iterator[Facts]:
    if of.value("issuer"):
        yield from open_key_files(Path(of.value("issuer")))


DEMANDS: tuple[Demand, ...] = (
    Demand("issuer", ("issuer",), _issuer),
    Demand("check_address", ("public_url",), _check_address),
    Demand("keys_closed", ("issuer",), _keys_closed),
)
UNDEMANDED: Mapping[str, str] = {
    "stampings_per_order_max": LOAD,
    "seal_algorithm": (
        "the algorithm of keys that are made here; documents can be sealed with either"
    ),
    "seal_lease_seconds": TIME,
    "seals_at_once": LOAD,
}
