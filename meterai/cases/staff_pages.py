"""Pages of complaints for staff: a list of cases by due time, and one case with forms to answer or close it."""

import re
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.cases.model import (
    ABOUT_LENGTH_MAX,
    CASE,
    CASE_KIND,
    OF_STAFF,
    Case,
    CaseEvent,
    CaseOutcome,
    CaseState,
    Complaint,
    Filter,
    Matter,
)
from meterai.cases.pages import PICTURE_KIND, picture_answer
from meterai.cases.routes import matter_of
from meterai.cases.service import LISTED_MAX, CaseService, about_kind
from meterai.cases.views import is_answer_of_facts
from meterai.cases.words import answer_text
from meterai.kit.actor import Actor
from meterai.kit.ids import read, show
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound, Refusal
from meterai.kit.subjects import Subject
from meterai.pages import (
    FieldWrong,
    Page,
    PageRequest,
    field_errors,
    form_key,
    fresh_key,
    page,
    read_own_form,
    see_other,
)
from meterai.plumbing.http.language import language_of
from meterai.room.timelines import console_path, line

HERE = "/console/cases"
_NUMBER = re.compile(r"[0-9]{1,6}")  # page number
_OPTIONS = {"permission": Permission.CONSOLE_CASES, "priority": Priority.PAID}
_ACTS = {
    "answer": CaseEvent.ANSWERED,
    "ask": CaseEvent.ASKED,
    "close": CaseEvent.CLOSED,
}


@get(HERE, opt=_OPTIONS, include_in_schema=False)
async def list_cases(
    request: PageRequest, cases: NamedDependency[CaseService], account: NamedDependency[UUID]
) -> Page:
    """List cases by due time, filtered by owner, state, matter, and whether the sender was signed in."""
    return await _list_page(request, cases, account)


async def _list_page(
    request: PageRequest, cases: CaseService, staff: UUID, refusal: Refusal | None = None
) -> Page:
    query = request.query_params
    whose, matter, sent = (query.get(name, "") for name in ("whose", "matter", "sent"))
    state = query.get("state", CaseState.OPEN)
    filtered = Filter(
        CaseState(state) if state in list(CaseState) else CaseState.OPEN,
        owner=staff if whose == "mine" else None,
        is_unowned=whose == "nobody",
        matter=matter if matter in list(Matter) else "",
        is_unsigned={"signed": False, "unsigned": True}.get(sent),
    )
    text = query.get("page", "")
    number = max(int(text), 1) if _NUMBER.fullmatch(text) else 1
    found, count = await cases.listed(filtered, number)
    chosen = {"whose": whose, "state": state, "matter": matter, "sent": sent}
    return page(
        request,
        "cases/console_list.html",
        status=refusal.status if refusal else 200,
        cases=found,
        count=count,
        pages={
            name: f"{HERE}?{urlencode({**chosen, 'page': there})}"
            for name, there in (("previous", number - 1), ("next", number + 1))
            if 1 <= there <= -(-count // LISTED_MAX)
        },
        **chosen,
        states=list(CaseState),
        matters=list(Matter),
        key=fresh_key(),
        errors=field_errors(refusal, language_of(request), "about"),
    )


@post(HERE, opt=_OPTIONS, include_in_schema=False)
async def open_case(
    request: PageRequest,
    cases: NamedDependency[CaseService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Open a case for a person who complained to staff."""
    form = await read_own_form(request)
    try:
        complaint = Complaint(
            matter_of(form.text("matter")),
            form.text("words"),
            "id",
            form.text("about")[:ABOUT_LENGTH_MAX],
            key=form_key(form.text("key")),
        )
        case = await cases.open_as_staff(complaint, account, actor=actor)
    except Refusal as refusal:
        return await _list_page(request, cases, account, refusal)
    return see_other(_path(case))


def _path(case: Case) -> str:
    return f"{HERE}/{show(CASE_KIND, case.id)}"


@get(f"{HERE}/{{case_id:str}}", opt=_OPTIONS, include_in_schema=False)
async def show_case(
    request: PageRequest, cases: NamedDependency[CaseService], case_id: FromPath[str]
) -> Page:
    """Show a case: words of the person, timeline with lines for staff, and possible acts."""
    return await _case_page(request, cases, case_id)


async def _case_page(
    request: PageRequest,
    cases: CaseService,
    case_id: str,
    words: str = "",
    refusal: Refusal | None = None,
) -> Page:
    case, language = await cases.one(read(CASE_KIND, case_id)), language_of(request)
    found = await cases.told(case)
    return page(
        request,
        "cases/console_case.html",
        status=refusal.status if refusal else 200,
        case=case,
        id=show(CASE_KIND, case.id),
        account_shown=show("acc", case.account),
        owner=show("acc", case.owner) if case.owner else "",
        answer=answer_text(case, language),
        messages=[one for one in found.messages if not is_answer_of_facts(one)],
        pictures=[show(PICTURE_KIND, one) for one in found.pictures],
        lines=[line(one, language) for one in found.happenings],
        subject=console_path(Subject(about_kind(case), case.about)) if case.about else "",
        acts=[name for name, event in _ACTS.items() if _may(case, event)],
        outcomes=OF_STAFF,
        words=words,
        errors=field_errors(refusal, language, "words"),
    )


def _may(case: Case, event: CaseEvent) -> bool:
    try:
        CASE.after(case.state, event)
    except NotAllowedNow:
        return False
    return True


@post(f"{HERE}/{{case_id:str}}", opt=_OPTIONS, include_in_schema=False)
async def act(
    request: PageRequest,
    cases: NamedDependency[CaseService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    case_id: FromPath[str],
) -> Page:
    """Take over a case, answer it, ask its person a question, or close it with an outcome."""
    form = await read_own_form(request)
    case, words = await cases.one(read(CASE_KIND, case_id)), form.text("words")
    name = form.text("act")
    try:
        if name == "own":
            await cases.own(case, account, actor=actor)
        elif (event := _ACTS.get(name)) is None:
            raise NotFound("no such act")
        else:
            outcome = _outcome(form.text("outcome")) if event == CaseEvent.CLOSED else None
            await cases.write_as_staff(case, event, words, account, actor=actor, outcome=outcome)
    except NotFound:
        raise
    except Refusal as refusal:
        return await _case_page(request, cases, case_id, words, refusal)
    return see_other(_path(case))


def _outcome(text: str) -> CaseOutcome:
    """Return the chosen outcome.  Refuses `FieldWrong`."""
    if text not in OF_STAFF:
        raise FieldWrong("outcome")
    return CaseOutcome(text)


@get(f"{HERE}/{{case_id:str}}/pictures/{{picture_id:str}}", opt=_OPTIONS, include_in_schema=False)
async def show_picture(
    cases: NamedDependency[CaseService], case_id: FromPath[str], picture_id: FromPath[str]
) -> Response[bytes]:
    """Return a picture sent as evidence, re-encoded."""
    case = await cases.one(read(CASE_KIND, case_id))
    return picture_answer(await cases.picture(case, read(PICTURE_KIND, picture_id)))


routes = [list_cases, open_case, show_case, act, show_picture]
