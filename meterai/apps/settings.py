"""Every setting there is: the sections of the rooms, in the order in which they are shown."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from meterai.apps.rooms import ROOMS
from meterai.plumbing import config
from meterai.plumbing.config import Configuration, Port, ProcessSettings, Sections, Settings
from meterai.room import Rooms


class StandinSettings(msgspec.Struct, frozen=True):
    """Where the stand-ins listen; development only."""

    bank_port: Port = 0
    mail_port: Port = 0
    drand_port: Port = 0
    midtrans_port: Port = 0  # where `midtrans` is one of payment_rails


def sections(rooms: Rooms = ROOMS) -> Sections:
    """Every section of settings: of the process, of each room, of the stand-ins."""
    of_rooms: list[type[msgspec.Struct]] = []
    for room in rooms:
        of_rooms += [*room.sections, *([room.settings] if room.settings else [])]
    return (ProcessSettings, *of_rooms, StandinSettings)


SECTIONS: Sections = sections()


def load(
    options: Mapping[str, object] | None = None,
    *,
    config_file: Path | None = None,
    rooms: Rooms = ROOMS,
) -> Configuration:
    """The settings in force.  Refuses `ConfigurationWrong`."""
    return config.load(sections(rooms), options, config=config_file)


def settings_of(**values: object) -> Settings:
    """Settings with these values and defaults.  Refuses `ConfigurationWrong`."""
    return config.settings_of(SECTIONS, **values)
