"""Settings of random draws."""

import msgspec

from meterai.plumbing.config import Positive


class DrawSettings(msgspec.Struct, frozen=True):
    """Source of randomness (a drand chain and its relays) and time limit of random draws.

    The names of these settings begin with `waiting_room` for historical reasons.
    """

    # Base URLs of relays of drand, separated by spaces; one honest relay suffices.
    waiting_room_drand_urls: str = "https://api.drand.sh https://api2.drand.sh https://api3.drand.sh https://drand.cloudflare.com"
    # For a chain other than quicknet: a file with the answer of its relays to /info.
    waiting_room_drand_chain: str = ""
    # From the closing of the list to the publication of its root: a million entries took 24 s on two busy processors.
    waiting_room_publish_seconds: Positive = 180
