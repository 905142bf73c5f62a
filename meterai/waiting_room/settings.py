"""Settings of the waiting room."""

import msgspec

from meterai.plumbing.config import Positive


class WaitingRoomSettings(msgspec.Struct, frozen=True):
    """Limits on the number of visitors inside, and on the places of a network.

    Admission rates of waiting lines are no settings: the commands `meterai line` set them.
    """

    # Greatest number of visitors with a turn who have not finished: each has a session, a form, documents under way.
    waiting_room_inside_max: Positive = 5_000
    # Places that a network may take at once in one web process; the allowance is full again after 100 seconds.
    # Thousands of a carrier's phones share an address.
    waiting_room_network_places: Positive = 2_000
