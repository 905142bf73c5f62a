"""Pages of work lists: all lists with their first rows, and one list in full."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import NotPermitted, Permission
from meterai.console.wording import named, path_of, title
from meterai.console.work import COUNTED_MAX, WorkCounts
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound
from meterai.kit.subjects import WorkItem
from meterai.pages import Page, PageRequest, page
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.language import language_of
from meterai.plumbing.messages import localize, translate
from meterai.room import WorkList

FIRST_ROWS = 5  # rows per list on the page of all lists


@dataclass(frozen=True, slots=True)
class _WorkRow:
    """A work item as a sentence with its link; it is late if its due time has passed."""

    text: str
    since: datetime
    due: datetime | None
    is_late: bool
    about: str
    link: str


@dataclass(frozen=True, slots=True)
class _List:
    """A work list with the rows to show and the number of its items, counted up to `COUNTED_MAX`."""

    name: str
    title: str
    count: int
    is_more: bool
    rows: Sequence[_WorkRow]


@get(
    "/console/work",
    opt={"permission": Permission.CONSOLE_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_work(request: PageRequest, work: NamedDependency[WorkCounts]) -> Page:
    """Show every permitted work list, with its count and its most urgent items."""
    language = language_of(request)
    now, found = await work.items(caller_of(request).staff_permissions)
    lists = [_list(one, items, now, language, FIRST_ROWS) for one, items in found]
    return page(
        request,
        "console/work.html",
        lists=lists,
        certificate_ends=work.certificate_ends(),
    )


@get(
    "/console/work/{name:str}",
    opt={"permission": Permission.CONSOLE_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_work_list(
    request: PageRequest, work: NamedDependency[WorkCounts], name: FromPath[str]
) -> Page:
    """Show one work list, the most urgent items first."""
    permitted = caller_of(request).staff_permissions
    _check(work.named(name), permitted)
    now, [(one, items)] = await work.items(permitted, name)
    shown = _list(one, items, now, language_of(request), COUNTED_MAX)
    return page(request, "console/work_list.html", list=shown)


def _check(one: WorkList | None, permitted: Collection[str]) -> None:
    """Check that the work list exists and is permitted.  Refuses `NotFound`, `NotPermitted`."""
    if one is None:
        raise NotFound("no such list")
    if one.permission not in permitted:
        raise NotPermitted(Permission(one.permission))


def _list(
    one: WorkList, items: Sequence[WorkItem], now: datetime, language: str, rows_max: int
) -> _List:
    return _List(
        one.name,
        title("work", one.name, language),
        min(len(items), COUNTED_MAX),
        len(items) > COUNTED_MAX,
        [_row(one.name, item, now, language) for item in items[:rows_max]],
    )


def _row(name: str, item: WorkItem, now: datetime, language: str) -> _WorkRow:
    facts = localize(item.facts, language)
    return _WorkRow(
        translate(f"work.{name}.item", language, **facts),
        item.since,
        item.due,
        item.due is not None and item.due < now,
        named(item.about, language),
        path_of(item.about),
    )


routes = [show_work, show_work_list]
