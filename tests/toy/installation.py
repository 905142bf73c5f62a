"""An installation of the platform that has the guest book."""

from pathlib import Path

from meterai.apps import rooms
from meterai.apps.settings import sections
from meterai.plumbing import config
from meterai.plumbing.config import Settings
from meterai.room import Room
from tests.support.within import settings_of
from tests.toy.room import ROOM

ROOMS: tuple[Room, ...] = (*rooms.ROOMS, ROOM)


def guest_settings(database_url: str, directory: Path) -> Settings:
    """Its settings: two guests are shown."""
    flat = settings_of(database_url, directory).flat()
    return config.settings_of(sections(ROOMS), **{**flat, "guests_shown_max": 2})
