"""How long what is in each table is kept: the rules of every room."""

from itertools import chain

from meterai.apps.rooms import ROOMS
from meterai.plumbing.work import retention
from meterai.plumbing.work.retention import Leaves, Rule, Stays
from meterai.room import Rooms


def rules_of(rooms: Rooms = ROOMS) -> tuple[Rule, ...]:
    """Every rule, of what leaves and of what stays."""
    return (*retention.RETENTION, *chain.from_iterable(room.retention for room in rooms))


RULES: tuple[Leaves, ...] = tuple(rule for rule in rules_of() if isinstance(rule, Leaves))
KEPT: tuple[Stays, ...] = tuple(rule for rule in rules_of() if isinstance(rule, Stays))
