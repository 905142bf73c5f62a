"""A room with search, work lists and levers for the pages of the console, over tables of the product."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from meterai import stamps
from meterai.cases.model import CASE_SUBJECT
from meterai.commands import Effect, Forecast, Lever, Pull
from meterai.kit.ids import read, show
from meterai.kit.refusal import NotFound
from meterai.kit.serial import Serial
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem
from meterai.notifications.model import JOB_SUBJECT
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.room import Knows, Room, WorkList
from meterai.waiting_room.model import LINE_SUBJECT

MANY = "lin_many"  # a subject with more timeline lines than one page shows
HAPPENINGS = 450
BEGIN = datetime.fromisoformat("2025-11-30T01:00:00+00:00")


async def _find(tx: ReadTx, text: str, limit: int) -> Sequence[Subject]:
    if text == "several":
        return [Subject(LINE_SUBJECT.kind, f"lin_{number}") for number in range(limit)]
    if text == MANY:
        return [Subject(LINE_SUBJECT.kind, MANY)]
    rows = await tx.all("SELECT account_id FROM email_directory WHERE email = %s", text)
    found = [
        Subject(SubjectKind.ACCOUNT, show("acc", row["account_id"]), row["account_id"])
        for row in rows
    ]
    rows = await tx.all(
        "SELECT account_id, sha256 FROM documents WHERE encode(sha256, 'hex') = %s", text
    )
    found += [Subject(SubjectKind.STAMPING, row["sha256"].hex(), row["account_id"]) for row in rows]
    with suppress(NotFound):
        order = read("ord", text)
        rows = await tx.all("SELECT account_id FROM orders WHERE order_id = %s", order)
        found += [Subject(SubjectKind.ORDER, text, row["account_id"]) for row in rows]
    with suppress(ValueError):
        found.append(Subject(SubjectKind.SERIAL, Serial.typed(text).text))
    return found


async def _tell(_tx: ReadTx, subject: Subject) -> Sequence[Happening]:
    if subject.kind == LINE_SUBJECT.kind and subject.shown != MANY:
        return []
    count = HAPPENINGS if subject.shown == MANY else 2
    about = Subject(CASE_SUBJECT.kind, "cas_1")
    return [
        Happening(
            BEGIN + timedelta(minutes=number), f"told_{number}", about=about, actor="job:execute"
        )
        for number in reversed(range(count))
    ]


async def _waiting(
    _tx: ReadTx, _settings: Settings, now: datetime, limit: int
) -> Sequence[WorkItem]:
    return [WorkItem(Subject(JOB_SUBJECT.kind, str(number)), now) for number in range(limit)]


class Arguments(msgspec.Struct, frozen=True):
    """Arguments of the lever, one of each input type."""

    state: Literal["open", "stopped"]
    rupiah: int = 0
    since: datetime | None = None


async def _forecast(tx: ReadTx, arguments: Arguments, _pull: Pull) -> Forecast:
    now = await stamps.issuing(tx)
    facts = {"from": now.is_open, "to": arguments.state, "since": arguments.since}
    return Forecast([Effect("desk_issuing", facts)], 1, arguments.rupiah)


async def _carry_out(tx: Tx, arguments: Arguments, pull: Pull) -> None:
    is_open = arguments.state == "open"
    await stamps.set_issuing(
        tx, is_open=is_open, reason="" if is_open else pull.reason, actor=pull.actor
    )


LEVER = Lever(
    name="desk issuing",
    permission="console.operations",
    arguments=Arguments,
    forecast=_forecast,
    carry_out=_carry_out,
    offered=lambda subject: {"state": "stopped"} if subject.kind == SubjectKind.ACCOUNT else None,
)
ROOM = Room(
    name="desk",
    levers=(LEVER,),
    knows=Knows(find=_find, tell=_tell),
    work=(WorkList(name="desk_jobs", permission="console.operations", waiting=_waiting),),
)
