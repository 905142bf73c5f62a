"""Data requests and breaches for the console: timeline of an account, work lists."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from meterai.accounts import Permission
from meterai.kit.ids import read_typed
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem, account_subject
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.privacy import store
from meterai.privacy.levers import subject
from meterai.privacy.model import BREACH_KIND, BREACH_SUBJECT, Breach, Request
from meterai.room import Knows, WorkList

REQUESTS_TOLD_MAX = 50  # newest requests per account


async def _find(tx: ReadTx, text: str, _limit: int) -> Sequence[Subject]:
    number = read_typed(BREACH_KIND, text)
    found = await store.breach(tx, number) if number else None
    return (subject(found),) if found else ()


async def _tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    if about.kind == BREACH_SUBJECT.kind and (number := read_typed(BREACH_KIND, about.shown)):
        found = await store.breach(tx, number)
        return list(_breach_happenings(found)) if found else ()
    if about.kind == SubjectKind.ACCOUNT and about.account is not None:
        requests = await store.requests_of_account(tx, about.account, REQUESTS_TOLD_MAX)
        return [one for request in requests for one in _request_happenings(request)]
    return ()


def _request_happenings(one: Request) -> Iterator[Happening]:
    facts = {"request": one.shown, "acts_at": one.acts_at}
    yield Happening(one.asked_at, f"privacy_{one.kind}_asked", facts)
    if one.ended_at is not None:
        # To staff, a swept account is simply erased.
        word = "erased" if one.state == "swept" else one.state
        yield Happening(one.ended_at, f"privacy_{one.kind}_{word}", facts)


def _breach_happenings(one: Breach) -> Iterator[Happening]:
    facts: dict[str, object] = {
        "breach": one.shown,
        "told": one.subjects_told,
        "reason": one.not_told,
    }
    times = {
        "privacy_breach_known": one.known_at,
        "privacy_breach_agency_told": one.agency_told_at,
        "privacy_breach_subjects_told": one.subjects_told_at,
        "privacy_breach_closed": one.closed_at,
    }
    for word, at in times.items():
        if at is not None:
            yield Happening(at, word, facts, for_staff=True)


async def _requests(tx: ReadTx, _: Settings, _now: datetime, limit: int) -> Sequence[WorkItem]:
    return [
        WorkItem(
            account_subject(one.account),
            one.asked_at,
            one.due_at,
            {"request": one.shown},
        )
        for one in await store.unanswered(tx, limit)
    ]


async def _breaches(tx: ReadTx, _: Settings, _now: datetime, limit: int) -> Sequence[WorkItem]:
    return [
        WorkItem(subject(one), one.known_at, one.work_due_at, {"breach": one.shown})
        for one in await store.open_breaches(tx, limit)
    ]


KNOWS = Knows(find=_find, tell=_tell)
WORK = (
    WorkList(name="breaches", permission=Permission.CONSOLE_PRIVACY, waiting=_breaches),
    WorkList(name="copies", permission=Permission.CONSOLE_PRIVACY, waiting=_requests),
)
