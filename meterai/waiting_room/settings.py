"""What can be set about lines and their draws."""

import msgspec

from meterai.plumbing.config import Positive


class WaitingRoomSettings(msgspec.Struct, frozen=True):
    """Rates are set for each line, by `meterai line`."""

    # People with a turn who have not finished: each has a session, a form, documents under way.
    waiting_room_inside_max: Positive = 5_000
    # New numbers that one network may take at once in one web process, and again within 100 seconds: a
    # carrier's phones share an address by the thousand.
    waiting_room_network_places: Positive = 2_000
    # Relays of drand, with spaces between; any one that tells the truth suffices.
    waiting_room_drand_urls: str = "https://api.drand.sh https://api2.drand.sh https://api3.drand.sh https://drand.cloudflare.com"
    # A chain that is not quicknet: a file with what its relays answer to /info.
    waiting_room_drand_chain: str = ""
    # From the end of the entries to their root in public: a million took 24 s on two busy processors.
    waiting_room_publish_seconds: Positive = 180
