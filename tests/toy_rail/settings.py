"""What can be set about the toy rail."""

import msgspec

from meterai.plumbing.config import Seconds, Secret


class ToySettings(msgspec.Struct, frozen=True):
    """Where the bank is, and what is signed with."""

    toy_url: str = ""
    toy_secret: Secret = ""
    toy_timeout_seconds: Seconds = 2
