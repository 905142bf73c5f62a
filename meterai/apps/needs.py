"""Keys and other needs of the services (except the database), checked before a process starts."""

from meterai.apps.rooms import ROOMS
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import keyring_of
from meterai.room import Rooms


def check_needs(settings: Settings, rooms: Rooms = ROOMS) -> None:
    """Check that every key exists and can be read, and that the other needs of each room are met. Raises `KeyMissing`; refuses
    what the rooms refuse.
    """
    keyring = keyring_of(settings)
    for room in rooms:
        room.needs(settings, keyring)
