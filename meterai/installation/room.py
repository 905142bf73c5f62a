"""What the room `installation` registers with the applications."""

from meterai.commands import Command, Directory, Schema, Scope
from meterai.installation.settings import StandinSettings
from meterai.room import Room

_COMMANDS = "meterai.installation.commands"

ROOM = Room(
    name="installation",
    settings=StandinSettings,
    commands=(
        Command("up", f"{_COMMANDS}:up", Directory.MADE, Scope.NEVER, Schema.BROUGHT),
        Command("standins", f"{_COMMANDS}:standins", Directory.NEEDED, Scope.NEVER),
        Command("backup", f"{_COMMANDS}:backup", Directory.NEEDED, Scope.DATABASE, Schema.CURRENT),
        Command(
            "restore", f"{_COMMANDS}:restore", Directory.RESTORED, Scope.DATABASE, Schema.BROUGHT
        ),
    ),
)
