"""Leases: time-limited rights of one process to do some work. If a lease is shorter than the work, two processes may do
the same work at once.

A room registers its leases, each with the longest duration of the work. If a setting makes a lease too short, the
process does not start, and the refusal names both numbers.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from meterai.kit.refusal import CommandRefusal


class LeaseTooShort(CommandRefusal):
    """A lease may end before the work that it covers."""

    code = "lease_too_short"
    status = 500

    def __init__(self, name: str, lease_seconds: float, covered_seconds: float) -> None:
        super().__init__(f"{name}: a lease of {lease_seconds} s must cover {covered_seconds} s")
        self.name = name
        self.lease_seconds = lease_seconds
        self.covered_seconds = covered_seconds


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease: its name, how long it lasts, and the longest duration of the work that it covers."""

    name: str
    lease_seconds: float
    covered_seconds: float


def check_leases(leases: Iterable[Lease]) -> None:
    """Check that each lease is longer than its work. Refuses `LeaseTooShort`."""
    for lease in leases:
        if lease.lease_seconds <= lease.covered_seconds:
            raise LeaseTooShort(lease.name, lease.lease_seconds, lease.covered_seconds)
