"""Look-up of stamps for staff and for complaints: search by serial, and events for the timelines of serials and orders."""

from collections.abc import Sequence

from meterai.kit.ids import read_typed, show
from meterai.kit.serial import Serial
from meterai.kit.subjects import Happening, Subject, SubjectKind
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows
from meterai.stamps import store
from meterai.stamps.model import StampTold


async def find(tx: ReadTx, text: str, _limit: int) -> Sequence[Subject]:
    """Find a stamp by its serial, with or without separators."""
    try:
        serial = Serial.typed(text)
    except ValueError:
        return ()
    return [
        Subject(SubjectKind.SERIAL, serial.text, one) for one in await store.owners(tx, serial.text)
    ]


async def tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    """Return the timeline of a serial; for an order, the event that its stamps were issued."""
    if about.account is None:
        return ()
    if about.kind == SubjectKind.SERIAL:
        found = await store.stamp_told(tx, about.account, about.shown)
        return _told(found) if found else ()
    order = read_typed("ord", about.shown) if about.kind == SubjectKind.ORDER else None
    if order is None or (lot := await store.lot_told(tx, about.account, order)) is None:
        return ()
    return [Happening(lot.at, "stamps_issued", {"quantity": lot.issued})]


def _told(one: StampTold) -> list[Happening]:
    facts = {"serial": one.serial}
    lot = Subject(SubjectKind.ORDER, show("ord", one.lot), one.account)
    document = Subject(SubjectKind.STAMPING, show("stg", one.stamping), one.account)
    moments = (
        (one.issued_at, "stamp_issued", lot),
        (one.reserved_at, "stamp_reserved", document),
        (one.affixed_at, "stamp_affixed", document),
        (one.voided_at, "stamp_void", document),
    )
    return [Happening(at, word, facts, of) for at, word, of in moments if at is not None]


KNOWS = Knows(find=find, tell=tell)
