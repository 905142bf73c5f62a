"""Settings of draws."""

import msgspec

from meterai.plumbing.config import Positive


class DrawSettings(msgspec.Struct, frozen=True):
    """Beacon and time limit of a draw; the settings keep the prefix of the waiting room."""

    # Relays of drand, with spaces between; any one that tells the truth suffices.
    waiting_room_drand_urls: str = "https://api.drand.sh https://api2.drand.sh https://api3.drand.sh https://drand.cloudflare.com"
    # A chain that is not quicknet: a file with what its relays answer to /info.
    waiting_room_drand_chain: str = ""
    # From the end of the entries to their root in public: a million took 24 s on two busy processors.
    waiting_room_publish_seconds: Positive = 180
