"""State of the extracts for staff and /readyz: whether the newest extract is not signed by us, or extracts of days are missing."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from meterai.accounts import Permission
from meterai.kit.days import DAY, Month, begin_of, last_settled
from meterai.kit.subjects import Subject, WorkItem
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.keyring import keyring_of
from meterai.regulator import store
from meterai.regulator.extracts import ExtractWrong, read_manifest, signer_of
from meterai.regulator.model import STATEMENT_SUBJECT
from meterai.room import WorkList


class Stopped(NamedTuple):
    """The day at which extracts stopped: its extract is not signed by us, or has not been made although it has
    been due for more than a day.
    """

    day: date
    is_unsigned: bool


async def stopped(tx: ReadTx, public_key: bytes) -> Stopped | None:
    """Return the day at which extracts stopped; None if extracts are made as planned."""
    last = await store.last_extract(tx)
    if last is None:
        return None
    try:
        read_manifest(last.manifest.encode(), str(last.day), public_key)
    except ExtractWrong:
        return Stopped(last.day, is_unsigned=True)
    missing = last.day + DAY
    is_late = missing < last_settled(await store.now(tx))
    return Stopped(missing, is_unsigned=False) if is_late else None


async def _waiting(
    tx: ReadTx, settings: Settings, _now: datetime, _limit: int
) -> Sequence[WorkItem]:
    found = await stopped(tx, signer_of(keyring_of(settings)).public_key())
    if found is None:
        return ()
    about = Subject(STATEMENT_SUBJECT.kind, str(Month.of(found.day)))
    day = str(found.day)
    facts = (
        {"unsigned": day, "missing": ""} if found.is_unsigned else {"unsigned": "", "missing": day}
    )
    return (WorkItem(about, begin_of(found.day + DAY), None, facts),)


WORK = (WorkList(name="extracts", permission=Permission.CONSOLE_STATEMENTS, waiting=_waiting),)
