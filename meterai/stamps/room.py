"""Registration of the room `stamps`."""

from meterai.kit.subjects import SubjectKind, SubjectSort
from meterai.room import Container, Room
from meterai.stamps.audited import AUDITED
from meterai.stamps.figures import PROMISES
from meterai.stamps.invariants import INVARIANTS, POSTINGS
from meterai.stamps.knows import KNOWS
from meterai.stamps.model import STAMP
from meterai.stamps.personal import PERSONAL
from meterai.stamps.retention import RETENTION
from meterai.stamps.service import SerialService


async def _build(container: Container) -> None:
    container.add(SerialService(container.database))


ROOM = Room(
    name="stamps",
    subjects=[SubjectSort(SubjectKind.SERIAL)],
    tables=frozenset({"stamp_lots", "stamps"}),
    global_tables={
        "issuing": "one row: whether stamps are issued",
        "serial_directory": (
            "finds the account of a serial; its primary key proves that no serial was given twice"
        ),
        "serial_leases": "numbers of processes that make serials",
    },
    lifecycles=(STAMP,),
    build=_build,
    knows=KNOWS,
    invariants=INVARIANTS,
    audited=AUDITED,
    postings=POSTINGS,
    retention=RETENTION,
    promises=PROMISES,
    personal=PERSONAL,
)
