"""An installation of the platform that has the guest book."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meterai.apps import rooms
from meterai.apps.settings import sections
from meterai.plumbing import config, messages
from meterai.plumbing.config import Settings
from meterai.room import Room, Rooms
from tests.support.within import settings_of
from tests.toy.room import ROOM

ROOMS: tuple[Room, ...] = (*rooms.ROOMS, ROOM)


def guest_settings(database_url: str, directory: Path) -> Settings:
    """Settings of the installation; two guests are shown."""
    flat = settings_of(database_url, directory).flat()
    return config.settings_of(sections(ROOMS), **{**flat, "guests_shown_max": 2})


@contextmanager
def speaking(of: Rooms = ROOMS) -> Iterator[None]:
    """Within the block, the catalogue has the sentences of these rooms."""
    beside = list(messages._BESIDE)
    messages.also(*(home for _, home in rooms.homes_of(of)))
    yield
    messages._BESIDE[:] = beside
    messages.catalogue.cache_clear()
