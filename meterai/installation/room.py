"""Registration of the room `installation`: everything that it offers to the applications, as a `Room`."""

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.installation.settings import StandinSettings
from meterai.room import Room

_COMMANDS = "meterai.installation.commands"

ROOM = Room(
    name="installation",
    settings=StandinSettings,
    commands=(
        Command("up", f"{_COMMANDS}:up", Directory.MADE, DemandScope.NEVER, Schema.BROUGHT),
        Command("standins", f"{_COMMANDS}:standins", Directory.NEEDED, DemandScope.NEVER),
        Command(
            "backup", f"{_COMMANDS}:backup", Directory.NEEDED, DemandScope.DATABASE, Schema.CURRENT
        ),
        Command(
            "restore",
            f"{_COMMANDS}:restore",
            Directory.RESTORED,
            DemandScope.DATABASE,
            Schema.BROUGHT,
        ),
    ),
)
