"""Command line of the applications: commands of `apps`, of each room, and of plugins."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from meterai.apps.production import demands_of
from meterai.apps.rooms import ROOMS, homes_of, introduce, offers_of
from meterai.apps.settings import sections
from meterai.commands import Command, DemandScope, Directory, Options, Program, Schema
from meterai.room import Rooms
from meterai.room.timelines import timeline

PLUGINS = "meterai.commands"  # group of entry points; each entry point is a sequence of `Command`
_RUN = "meterai.apps.commands.run"
OWN: Sequence[Command] = (
    Command("web", f"{_RUN}:web", Directory.NEEDED, DemandScope.EVERYTHING, Schema.CURRENT),
    Command("worker", f"{_RUN}:worker", Directory.NEEDED, DemandScope.EVERYTHING, Schema.CURRENT),
    Command("migrate", f"{_RUN}:migrate", Directory.DATABASE, DemandScope.DATABASE, Schema.BROUGHT),
    Command("config", f"{_RUN}:config", Directory.SETTINGS, DemandScope.NOTHING),
    Command("check-config", f"{_RUN}:check_config", Directory.SETTINGS, DemandScope.NOTHING),
    Command(
        "keys make", "meterai.apps.commands.keys:make", Directory.SETTINGS, DemandScope.NOTHING
    ),
    Command("pages", "meterai.apps.commands.pages:pages", Directory.SETTINGS, DemandScope.NOTHING),
)


@dataclass(frozen=True, slots=True)
class RoomsProgram(Program):
    """Command line of an application that consists of `rooms`."""

    rooms: Rooms = ()


def rooms_of(options: Options) -> Rooms:
    """Return the rooms of the application whose command runs."""
    assert isinstance(options.program, RoomsProgram), (
        "only the commands of applications ask for this"
    )
    return options.program.rooms


@cache  # computed once
def plugged_in() -> Sequence[Command]:
    """Return the commands that other installed distributions add by entry points."""
    found = sorted(entry_points(group=PLUGINS), key=lambda one: one.name)
    return [command for one in found for command in one.load()]


def program_of(rooms: Rooms = ROOMS) -> RoomsProgram:
    """Return the command line of an application of these rooms, including the commands of other distributions."""
    commands: dict[str, Command] = {}
    of_rooms = (one for room in rooms for one in room.commands)
    for one in (*OWN, *of_rooms, *plugged_in()):
        assert one.name not in commands, f"{one.name} is registered twice"
        commands[one.name] = one
    groups = {"keys": "The keys of production."}
    groups |= {word: text for room in rooms for word, text in room.command_groups.items()}
    homes = homes_of(rooms)
    introduce(rooms)
    offers = offers_of(rooms)
    assert offers.levers.keys() <= commands.keys(), (
        "each staff action is a command with the same name"
    )
    return RoomsProgram(
        commands,
        groups,
        sections(rooms),
        demands_of(rooms),
        homes,
        offers.levers,
        [one for room in rooms for one in room.figures],
        [one for room in rooms for one in room.promises],
        lambda tx, about: timeline(tx, offers, about),
        offers.personal,
        offers.audit,
        {kind: how for room in rooms for kind, how in room.opens.items()},
        [room.after_restore for room in rooms if room.after_restore],
        rooms,
    )
