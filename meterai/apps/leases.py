"""Leases: a lease is longer than what it covers, or two do at the same time what one began.

Every lease of the platform is here with the longest its holder can take, so that a setting which
makes one too short stops the start, and says both numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from meterai import notifications, payments, refunds, stamping
from meterai.kit.refusal import Refusal
from meterai.payments import PaymentSettings
from meterai.plumbing import mail
from meterai.plumbing.config import Settings
from meterai.stamping import StampingSettings


class LeaseTooShort(Refusal):
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


def leases(settings: Settings, seal_seconds_max: float) -> Iterator[Lease]:
    """Every lease under these settings; a seal that asks an authority takes so long."""
    call = payments.call_seconds_max(settings.of(PaymentSettings).bank_timeout_seconds)
    # Opened, asked about, taken back: one call each.  A refund is asked about before it is sent.
    yield Lease("payment attempts", settings.of(PaymentSettings).bank_lease_seconds, call)
    yield Lease(
        "refunds",
        refunds.lease_seconds(settings.of(PaymentSettings).bank_timeout_seconds),
        2 * call,
    )
    sealing = stamping.sealing_seconds(settings.of(StampingSettings).seal_lease_seconds)
    yield Lease("stampings", sealing, seal_seconds_max)
    # All of a conversation, and the goodbye after it was cut short.
    sent = mail.SEND_SECONDS_MAX + mail.STEP_SECONDS_MAX
    yield Lease("mails", notifications.LEASE_SECONDS, sent)


def check_leases(settings: Settings, seal_seconds_max: float) -> None:
    """Refuses `LeaseTooShort`."""
    for lease in leases(settings, seal_seconds_max):
        if lease.lease_seconds <= lease.covered_seconds:
            raise LeaseTooShort(lease.name, lease.lease_seconds, lease.covered_seconds)
