"""Registration of the room draw, which makes random draws."""

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.draw.audited import AUDITED
from meterai.draw.demands import UNDEMANDED
from meterai.draw.invariants import INVARIANTS
from meterai.draw.metrics import METRICS
from meterai.draw.retention import RETENTION
from meterai.draw.settings import DrawSettings
from meterai.room import Room


def _command(name: str, function: str) -> Command:
    """Return a command that needs only public files, not an installation."""
    place = f"meterai.draw.commands:{function}"
    return Command(name, place, Directory.SETTINGS, DemandScope.NOTHING, Schema.NONE)


ROOM = Room(
    name="draw",
    global_tables={
        "waiting_room_draws": "a draw belongs to a line, which belongs to everybody",
        "waiting_room_entries": "a visitor who enters has no account yet",
        "waiting_room_drawn": "an entry belongs to no known person; its number is drawn once",
        "waiting_room_parties": "institutions that took part in a draw",
    },
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
