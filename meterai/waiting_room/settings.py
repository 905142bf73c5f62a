"""Settings of the waiting room."""

import msgspec

from meterai.plumbing.config import Positive


class WaitingRoomSettings(msgspec.Struct, frozen=True):
    """Rates are set for each line, by `meterai line`."""

    # People with a turn who have not finished: each has a session, a form, documents under way.
    waiting_room_inside_max: Positive = 5_000
    # New numbers that one network may take at once in one web process, and again within 100 seconds: a
    # carrier's phones share an address by the thousand.
    waiting_room_network_places: Positive = 2_000
