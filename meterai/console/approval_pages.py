"""Pages of approvals: the lists of requests, and one request with the forecast that its requester saw and the current one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.approvals import (
    Approval,
    ApprovalService,
    ApprovalState,
    NotAsAsked,
    forecast_of,
    is_as_asked,
    refused,
    sentences,
)
from meterai.commands import Forecast
from meterai.console.levers import label_of, path_of_lever
from meterai.console.wording import title
from meterai.kit.ids import read, show
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.pages import Page, PageRequest, field_errors, page, read_own_form, see_other, sentence
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.callers import Caller, caller_of
from meterai.plumbing.http.language import language_of
from meterai.plumbing.messages import translate

NOTE = "note"
KIND, ACCOUNT = "apr", "acc"


@dataclass(frozen=True, slots=True)
class _ListedRequest:
    """A request for approval as a line of a list."""

    approval: Approval
    title: str
    path: str
    by: str


@dataclass(frozen=True, slots=True)
class _CurrentForecast:
    """Current forecast of a request. `lines` are its sentences; compared with the forecast that the requester
    saw, the sentences `new` were added and the sentences `gone` are missing. If the lever now refuses, only
    `refused` is set, with the sentence of the refusal.
    """

    lines: Sequence[str] = ()
    new: Sequence[str] = ()
    gone: Sequence[str] = ()
    is_same: bool = False
    refused: str = ""


def _told(approval: Approval, language: str) -> _ListedRequest:
    return _ListedRequest(
        approval,
        title("lever", approval.command, language),
        f"/console/approvals/{approval.shown}",
        show(ACCOUNT, approval.requested_by),
    )


@get(
    "/console/approvals",
    opt={"permission": Permission.CONSOLE_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def list_approvals(
    request: PageRequest,
    approvals: NamedDependency[ApprovalService],
    database: NamedDependency[Database],
) -> Page:
    """List the requests that the reader may decide, those that the reader made, those that only others may decide, and
    those that are decided.
    """
    caller, language = caller_of(request), language_of(request)
    async with database.reading() as tx:
        waiting, newest = await approvals.waiting(tx), await approvals.newest(tx)
    lists: dict[str, list[_ListedRequest]] = {
        "for_me": [],
        "mine": [],
        "for_others": [],
        "decided": [],
    }
    for one in waiting:
        lists[_list_of(one, approvals, caller)].append(_told(one, language))
    decided = (one for one in newest if one.state != ApprovalState.WAITING)
    lists["decided"] = [_told(one, language) for one in decided]
    return page(request, "console/approvals.html", lists=lists)


def _list_of(approval: Approval, approvals: ApprovalService, caller: Caller) -> str:
    if approval.requested_by == caller.person:
        return "mine"
    return "for_me" if approvals.may_decide(caller, approval) else "for_others"


@get(
    "/console/approvals/{request_id:str}",
    opt={"permission": Permission.CONSOLE_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_approval(
    request: PageRequest,
    approvals: NamedDependency[ApprovalService],
    request_id: FromPath[str],
) -> Page:
    """Show a request with the forecast that its requester saw, and the current forecast."""
    return await _page(request, approvals, await approvals.one(read(KIND, request_id)))


@post(
    "/console/approvals/{request_id:str}",
    opt={
        "permission": Permission.CONSOLE_APPROVE,
        "priority": Priority.PAID,
        "fresh_proof": True,
        "keeps": (NOTE,),
    },
    include_in_schema=False,
)
async def decide_on_approval(
    request: PageRequest,
    approvals: NamedDependency[ApprovalService],
    request_id: FromPath[str],
) -> Page:
    """Approve or decline another person's request."""
    form = await read_own_form(request)
    identifier, caller = read(KIND, request_id), caller_of(request)
    try:
        is_yes = form.text("do") == "approve"
        await approvals.decide(identifier, caller, approve=is_yes, note=form.text(NOTE))
    except Refusal as refusal:
        found = await approvals.one(identifier)
        return await _page(request, approvals, found, refusal, form.text(NOTE))
    return see_other(f"/console/approvals/{show(KIND, identifier)}")


@post(
    "/console/approvals/{request_id:str}/withdraw",
    opt={
        "permission": Permission.CONSOLE_READ,
        "priority": Priority.PAID,
        "asked_within": "the requester had the permission of the staff action",
    },
    include_in_schema=False,
)
async def withdraw_approval(
    request: PageRequest,
    approvals: NamedDependency[ApprovalService],
    request_id: FromPath[str],
) -> Page:
    """Withdraw a request that the reader made."""
    await read_own_form(request)
    identifier = read(KIND, request_id)
    try:
        await approvals.withdraw(identifier, caller_of(request))
    except Refusal as refusal:
        return await _page(request, approvals, await approvals.one(identifier), refusal)
    return see_other(f"/console/approvals/{show(KIND, identifier)}")


async def _page(
    request: PageRequest,
    approvals: ApprovalService,
    approval: Approval,
    refusal: Refusal | None = None,
    note: str = "",
) -> Page:
    caller, language = caller_of(request), language_of(request)
    is_waiting = approval.state == ApprovalState.WAITING
    is_wanted = is_as_asked(approval)
    lines = sentences(forecast_of(approval.forecast), language) if is_wanted else []
    now = None
    if is_waiting and is_wanted:
        now = await _now(approvals, caller, approval, lines, language)
    return page(
        request,
        "console/approval.html",
        status=refusal.status if refusal else 200,
        errors=field_errors(refusal, language, NOTE),
        title=title("lever", approval.command, language),
        lever_path=path_of_lever(approval.command),
        approval=approval,
        by=show(ACCOUNT, approval.requested_by),
        decided_by=show(ACCOUNT, approval.decided_by) if approval.decided_by else "",
        arguments=_arguments(approval, language) if is_wanted else [],
        lines=lines,
        wrong=_wrong(approval, language),
        now=now,
        found=_found(approval.found, language),
        note=note,
        is_mine=approval.requested_by == caller.person,
        may_decide=is_waiting and approvals.may_decide(caller, approval),
    )


def _wrong(approval: Approval, language: str) -> str:
    """Return why the forecast that the requester saw cannot be displayed now; empty if it can."""
    if not approval.is_kept:
        return translate("page.approval.blanked", language)
    return "" if is_as_asked(approval) else translate(f"refusal.{NotAsAsked.code}", language)


def _found(found: Mapping[str, object] | None, language: str) -> Sequence[str]:
    """Return the sentences of the changed forecast, or of the refusal, because of which an approved request was not executed.

    Empty for a request that was not overtaken in this way.
    """
    if found is None:
        return ()
    if "refused" in found:
        return [refused(found, language)]
    return sentences(forecast_of(found), language)


def _arguments(approval: Approval, language: str) -> list[tuple[str, object]]:
    return [
        (label_of(approval.command, name, language), value)
        for name, value in approval.arguments.items()
        if value not in (None, "")
    ]


async def _now(
    approvals: ApprovalService,
    caller: Caller,
    approval: Approval,
    lines: Sequence[str],
    language: str,
) -> _CurrentForecast:
    """Return the current forecast of a request, compared with the sentences `lines` of the forecast that its requester saw."""
    given = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in approval.arguments.items()
        if value is not None
    }
    try:
        forecast: Forecast = await approvals.forecast(
            caller, approval.command, given, approval.reason
        )
        digest = approvals.digest(approval.command, given, forecast)
    except Refusal as refusal:
        return _CurrentForecast(refused=sentence(refusal, language))
    found = sentences(forecast, language)
    return _CurrentForecast(
        found,
        [one for one in found if one not in lines],
        [one for one in lines if one not in found],
        digest == approval.forecast_sha256.hex(),
    )


routes = [list_approvals, show_approval, decide_on_approval, withdraw_approval]
