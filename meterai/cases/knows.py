"""Cases for the console: search by number, timeline, work list."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from meterai.accounts import Permission
from meterai.cases import store
from meterai.cases.model import CASE_KIND, CASE_SUBJECT, Author, Case, CaseMessage
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import read, read_typed, show
from meterai.kit.paging import ListPage
from meterai.kit.refusal import NotFound, Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows, WorkList

CASES_TOLD_MAX = 50  # newest cases on the timeline of an account


def subject(case: Case) -> Subject:
    """Return the `Subject` that names a case in the console."""
    return Subject(CASE_SUBJECT.kind, show(CASE_KIND, case.id), case.account)


async def _find(tx: ReadTx, text: str, _limit: int) -> Sequence[Subject]:
    case = read_typed(CASE_KIND, text)
    found = await store.case_by_id(tx, case) if case else None
    return (subject(found),) if found else ()


async def _tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    if about.kind == SubjectKind.ACCOUNT:
        return [_opened(case) for case in await _cases_of_account(tx, about)]
    cases = await _cases(tx, about)
    return [one for case in cases for one in _told(case, await store.messages(tx, case))]


async def _cases_of_account(tx: ReadTx, about: Subject) -> Sequence[Case]:
    if about.account is None:
        return ()
    return await store.cases_of_accounts(tx, (about.account,), ListPage().before, CASES_TOLD_MAX)


def _opened(case: Case) -> Happening:
    return Happening(case.opened_at, "case_complaint", _facts(case), subject(case))


def _facts(case: Case) -> dict[str, object]:
    return {"case": show(CASE_KIND, case.id), "matter": Sentence(f"matter.{case.matter}", {})}


async def _cases(tx: ReadTx, about: Subject) -> Sequence[Case]:
    try:
        if about.kind == CASE_SUBJECT.kind:
            found = await store.case_by_id(tx, read(CASE_KIND, about.shown))
            return (found,) if found else ()
        if about.kind == SubjectKind.ORDER and about.account is not None:
            return await store.cases_of_order(tx, about.account, read("ord", about.shown))
    except NotFound:
        pass
    return ()


def _told(case: Case, messages: Sequence[CaseMessage]) -> Iterator[Happening]:
    facts = _facts(case)
    for one in messages:
        word = "case_facts" if one.author == Author.FACTS else f"case_{one.kind}"
        yield Happening(one.at, word, facts, subject(case), actor=_actor(one))
    if case.closed_at is not None:
        outcome = {"outcome": Sentence(f"outcome.{case.outcome}", {})}
        yield Happening(case.closed_at, "case_closed", facts | outcome, subject(case))


def _actor(one: CaseMessage) -> str:
    return str(Actor(ActorKind.STAFF, show("acc", one.staff)) if one.staff else one.author)


async def _waiting(
    tx: ReadTx, _settings: Settings, _now: datetime, limit: int
) -> Sequence[WorkItem]:
    return [
        WorkItem(
            subject(one),
            one.opened_at,
            one.due_at,
            {"matter": Sentence(f"matter.{one.matter}", {}), "about": one.about},
        )
        for one in await store.due(tx, limit)
    ]


KNOWS = Knows(find=_find, tell=_tell)
WORK = (WorkList(name="cases", permission=Permission.CONSOLE_CASES, waiting=_waiting),)
