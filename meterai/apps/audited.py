"""What the audit knows of every table: of those of the rooms, and of those of none."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import TypeVar

from meterai.apps.rooms import ROOMS
from meterai.plumbing import tables
from meterai.plumbing.audited import Audited
from meterai.plumbing.invariants import Everything
from meterai.room import Rooms

Known = TypeVar("Known")


def audited_of(rooms: Rooms = ROOMS) -> Audited:
    """What plumbing and these rooms say, together.  One table measures, that of the highest room."""
    each = [tables.AUDITED, *(room.audited for room in rooms)]
    return Audited(
        facts=tuple(chain.from_iterable(one.facts for one in each)),
        checked=_together(one.checked for one in each),
        unchecked=_together(one.unchecked for one in each),
        subjects=_together(one.subjects for one in each),
        of_accounts=tuple(chain.from_iterable(one.of_accounts for one in each)),
        unfinished=tuple(chain.from_iterable(one.unfinished for one in each)),
        related=tuple(chain.from_iterable(one.related for one in reversed(each))),
        standing=tuple(chain.from_iterable(one.standing for one in each)),
        measure=next(one.measure for one in reversed(each) if one.measure),
    )


def _together(each: Iterable[Mapping[str, Known]]) -> Mapping[str, Known]:
    return {table: known for one in each for table, known in one.items()}


AUDITED = audited_of()
EVERYTHING = Everything(AUDITED.subjects)
