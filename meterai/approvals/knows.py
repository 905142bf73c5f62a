"""Requests for approval in the console: search by id, timeline, work list."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from meterai.accounts import Permission
from meterai.approvals import store
from meterai.approvals.model import APPROVAL_SUBJECT, KIND, Approval
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import read, show
from meterai.kit.money import Rupiah
from meterai.kit.refusal import NotFound
from meterai.kit.subjects import Happening, Subject, WorkItem
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows, WorkList


async def _named(tx: ReadTx, text: str) -> Approval | None:
    try:
        return await store.one(tx, read(KIND, text))
    except NotFound:
        return None


async def find(tx: ReadTx, text: str, _limit: int) -> Sequence[Subject]:
    """Find a request for approval by its public id."""
    found = await _named(tx, text)
    return [Subject(APPROVAL_SUBJECT.kind, found.shown)] if found else ()


async def tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    """Return the events of a request for approval, for its timeline in the console."""
    found = await _named(tx, about.shown) if about.kind == APPROVAL_SUBJECT.kind else None
    if found is None:
        return ()
    asked = {"approval": found.shown, "command": found.command, "reason": found.reason}
    told = [
        Happening(
            found.requested_at,
            "approval_requested",
            {**asked, "rows": found.rows, "rupiah": Rupiah(found.rupiah)},
            actor=_staff(found.requested_by),
            for_staff=True,
        )
    ]
    if found.decided_at is not None:
        decided = {"approval": found.shown, "command": found.command, "note": found.note}
        who = _staff(found.decided_by) if found.decided_by else ""
        told.append(
            Happening(
                found.decided_at, f"approval_{found.state}", decided, actor=who, for_staff=True
            )
        )
    return told


def _staff(account: UUID) -> str:
    return str(Actor(ActorKind.STAFF, show("acc", account)))


async def _waiting(tx: ReadTx, _: Settings, _now: datetime, limit: int) -> Sequence[WorkItem]:
    return [
        WorkItem(
            Subject(APPROVAL_SUBJECT.kind, one.shown),
            one.requested_at,
            one.expires_at,
            {"approval": one.shown, "command": one.command, "reason": one.reason},
        )
        for one in await store.waiting(tx, limit)
    ]


KNOWS = Knows(find=find, tell=tell)
WORK = (WorkList(name="approvals", permission=Permission.CONSOLE_APPROVE, waiting=_waiting),)
