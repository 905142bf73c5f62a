"""The room `draw`, as the applications see it."""

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.draw.audited import AUDITED
from meterai.draw.demands import UNDEMANDED
from meterai.draw.invariants import INVARIANTS
from meterai.draw.metrics import METRICS
from meterai.draw.retention import RETENTION
from meterai.draw.settings import DrawSettings
from meterai.room import Room


def _command(name: str, function: str) -> Command:
    """A command over public files alone: it needs no installation."""
    place = f"meterai.draw.commands:{function}"
    return Command(name, place, Directory.SETTINGS, DemandScope.NOTHING, Schema.NONE)


ROOM = Room(
    name="draw",
    tables=frozenset(
        {
            "waiting_room_draws",
            "waiting_room_entries",
            "waiting_room_drawn",
            "waiting_room_parties",
        }
    ),
    settings=DrawSettings,
    undemanded=UNDEMANDED,
    commands=(
        _command("draw verify", "verify"),
        _command("draw show", "show"),
        _command("draw prove", "prove"),
    ),
    command_groups={"draw": "Check a draw from its public files."},
    metrics=METRICS,
    invariants=INVARIANTS,
    audited=AUDITED,
    retention=RETENTION,
)
