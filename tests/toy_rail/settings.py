"""Settings of the toy rail."""

import msgspec

from meterai.plumbing.config import Seconds, Secret


class ToySettings(msgspec.Struct, frozen=True):
    """Address of the bank, and the secret for signatures."""

    toy_url: str = ""
    toy_secret: Secret = ""
    toy_timeout_seconds: Seconds = 2
