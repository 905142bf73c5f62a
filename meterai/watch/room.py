"""Registration of the room `watch`."""

from meterai.commands import Command, DemandScope, Directory
from meterai.room import Room

ROOM = Room(
    name="watch",
    commands=tuple(
        Command(
            f"watch {word}",
            f"meterai.watch.commands:{word}",
            Directory.SETTINGS,
            DemandScope.NOTHING,
        )
        for word in ("run", "key", "note", "once")
    ),
    command_groups={"watch": "Measure an installation from outside and publish its status."},
)
