"""Pages of levers (staff actions): a form, its forecast, and then the execution or a request for approval."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import NotPermitted, Permission
from meterai.approvals import ApprovalService, ApprovalSettings, ForecastChanged, sentences
from meterai.commands import Forecast, Lever
from meterai.console.levers import ARGUMENT, form_of, lever_named, path_of_lever, typed_in
from meterai.console.wording import title, will_happen
from meterai.kit.priority import Priority
from meterai.kit.reasons import written_reason
from meterai.kit.refusal import Malformed, Refusal
from meterai.pages import (
    FieldError,
    Page,
    PageRequest,
    page,
    read_own_form,
    see_other,
    sentence,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.language import language_of

REASON, SHOWN, PULL = "reason", "shown", "pull"  # form fields, and value of the button
_DONE = "done"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A forecast on a page. The form sends back its hash `digest`, so that the lever is not executed with
    another forecast. `why` says why a second person must approve; empty if no approval is needed.
    """

    forecast: Forecast
    digest: str
    why: str


@get(
    "/console/levers",
    opt={"permission": Permission.CONSOLE_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def list_levers(request: PageRequest, approvals: NamedDependency[ApprovalService]) -> Page:
    """List the levers that the reader may pull."""
    language = language_of(request)
    levers = [
        (title("lever", one.name, language), one, path_of_lever(one.name))
        for one in approvals.permitted(caller_of(request))
    ]
    done = approvals.levers.get(request.query_params.get(_DONE, ""))
    return page(
        request,
        "console/levers.html",
        levers=levers,
        done=title("lever", done.name, language) if done else "",
    )


@get(
    "/console/levers/{name:str}",
    opt={
        "permission": Permission.CONSOLE_READ,
        "priority": Priority.PAID,
        "fresh_proof": True,
    },
    include_in_schema=False,
)
async def show_lever(
    request: PageRequest, approvals: NamedDependency[ApprovalService], name: FromPath[str]
) -> Page:
    """Show the form of a lever, filled from the query parameters."""
    lever = _lever(request, approvals, name)
    return _page(request, lever, dict(request.query_params), "")


@post(
    "/console/levers/{name:str}",
    opt={
        "permission": Permission.CONSOLE_READ,
        "priority": Priority.PAID,
        "fresh_proof": True,
        "asked_within": "the permission of the staff action is checked",
    },
    include_in_schema=False,
)
async def pull_lever(
    request: PageRequest,
    approvals: NamedDependency[ApprovalService],
    settings: NamedDependency[Settings],
    name: FromPath[str],
) -> Page:
    """Show the forecast of a lever.

    If the form confirms a shown forecast that is still the same, pull the lever: execute it, or request an approval.
    """
    lever = _lever(request, approvals, name)
    form = await read_own_form(request)
    given, reason, seen = typed_in(lever, form.texts), form.text(REASON), form.text(SHOWN)
    caller = caller_of(request)
    refusal: Refusal | None = None
    try:
        written_reason(reason)
        if form.text("do") == PULL and seen:
            pulled = await approvals.pull(caller, lever.name, given, reason, shown=seen)
            if pulled.is_done:
                return see_other(f"/console/levers?{urlencode({_DONE: lever.name})}")
            return see_other(f"/console/approvals/{pulled.shown}")
    except ForecastChanged as changed:
        refusal = changed
    except Refusal as refused:
        return _page(request, lever, given, reason, refusal=refused)
    try:
        forecast = await approvals.forecast(caller, lever.name, given, reason)
    except Refusal as refused:
        return _page(request, lever, given, reason, refusal=refused)
    digest = approvals.digest(lever.name, given, forecast)
    shown = _Shown(forecast, digest, _why(approvals, settings, lever, forecast))
    return _page(request, lever, given, reason, refusal=refusal, shown=shown)


def _lever(request: PageRequest, approvals: ApprovalService, name: str) -> Lever:
    """Return the lever whose page has this path.  Refuses `LeverUnknown`, `NotPermitted`."""
    lever = approvals.lever(lever_named(name))
    if lever.permission not in caller_of(request).staff_permissions:
        raise NotPermitted(Permission(lever.permission))
    return lever


def _why(approvals: ApprovalService, settings: Settings, lever: Lever, forecast: Forecast) -> str:
    """Return why a second person is needed: `rupiah`, `rows` or `always`; empty if no second person is needed."""
    policy = settings.of(ApprovalSettings)
    if not approvals.needs_approval(lever.name, forecast):
        return ""
    if forecast.rupiah >= policy.approval_rupiah_from:
        return "rupiah"
    return "rows" if forecast.rows >= policy.approval_rows_from else "always"


def _page(
    request: PageRequest,
    lever: Lever,
    given: Mapping[str, str],
    reason: str,
    *,
    refusal: Refusal | None = None,
    shown: _Shown | None = None,
) -> Page:
    language = language_of(request)
    facts: dict[str, Any] = {}
    if shown is not None:
        facts = {
            "effects": [
                will_happen(told, one, language)
                for told, one in zip(
                    sentences(shown.forecast, language), shown.forecast.effects, strict=True
                )
            ],
            "rows": shown.forecast.rows,
            "rupiah_moved": shown.forecast.rupiah,
            "digest": shown.digest,
            "why": shown.why,
        }
    return page(
        request,
        "console/lever.html",
        status=refusal.status if refusal else 200,
        errors=_errors(refusal, language),
        title=title("lever", lever.name, language),
        lever=lever,
        there=path_of_lever(lever.name),
        fields=form_of(lever, given, language),
        reason=reason,
        is_forecast=shown is not None,
        **facts,
    )


def _errors(refusal: Refusal | None, language: str) -> list[FieldError]:
    """Return the refusal as an error of the form, at the field that it concerns."""
    if refusal is None:
        return []
    field = ARGUMENT + refusal.field if isinstance(refusal, Malformed) else REASON
    return [FieldError(field, sentence(refusal, language))]


routes = [list_levers, show_lever, pull_lever]
