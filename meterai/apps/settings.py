"""All settings: the sections of the rooms, in the order in which they are shown."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from meterai.apps.rooms import ROOMS
from meterai.plumbing import config
from meterai.plumbing.config import Configuration, ProcessSettings, Sections, Settings
from meterai.room import Rooms


def sections(rooms: Rooms = ROOMS) -> Sections:
    """Return every section of settings: of the process and of each room."""
    of_rooms: list[type[msgspec.Struct]] = []
    for room in rooms:
        of_rooms += [*room.sections, *([room.settings] if room.settings else [])]
    return (ProcessSettings, *of_rooms)


SECTIONS: Sections = sections()


def load(
    options: Mapping[str, object] | None = None,
    *,
    config_file: Path | None = None,
    rooms: Rooms = ROOMS,
) -> Configuration:
    """Return the settings with their sources, from `options`, environment and settings file. Refuses
    `ConfigurationWrong`.
    """
    return config.load(sections(rooms), options, config=config_file)


def settings_of(**values: object) -> Settings:
    """Return settings with these values, and defaults for all others. Refuses `ConfigurationWrong`."""
    return config.settings_of(SECTIONS, **values)
