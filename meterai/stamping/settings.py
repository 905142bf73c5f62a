"""Settings of stamping: the issuer, the number of seals at once, and time limits."""

from typing import Literal

import msgspec

from meterai.plumbing.config import Positive, Seconds


class StampingSettings(msgspec.Struct, frozen=True):
    """Settings of stamping; times are in seconds."""

    stampings_per_order_max: Positive = 20
    seal_algorithm: Literal["p256", "rsa2048"] = "p256"
    seal_lease_seconds: Seconds = 60  # without a renewed lease for so long another process may seal
    seals_at_once: Positive = 2  # per process; sealing uses the processor
    issuer: str = ""  # directory of the issuers; empty: a development issuer in DIR
