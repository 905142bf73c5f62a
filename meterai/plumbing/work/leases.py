"""Leases: a lease must be longer than what it covers, or two processes do the same thing at once.

A room registers its leases, each with the longest its holder can take: a setting that makes one too
short stops the start, and the refusal names both numbers.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from meterai.kit.refusal import CommandRefusal


class LeaseTooShort(CommandRefusal):
    """A lease ends before what it covers can have ended."""

    code = "lease_too_short"
    status = 500

    def __init__(self, name: str, lease_seconds: float, covered_seconds: float) -> None:
        super().__init__(f"{name}: a lease of {lease_seconds} s covers {covered_seconds} s")
        self.name = name
        self.lease_seconds = lease_seconds
        self.covered_seconds = covered_seconds


@dataclass(frozen=True, slots=True)
class Lease:
    """How long something is held, and the longest its holder can take, in seconds."""

    name: str
    lease_seconds: float
    covered_seconds: float


def check_leases(leases: Iterable[Lease]) -> None:
    """Refuses `LeaseTooShort`."""
    for lease in leases:
        if lease.lease_seconds <= lease.covered_seconds:
            raise LeaseTooShort(lease.name, lease.lease_seconds, lease.covered_seconds)
