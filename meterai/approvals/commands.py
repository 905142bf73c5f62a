"""Commands of approvals, and of the levers of the room `accounts`, which is below this room and cannot call it."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import msgspec
from cyclopts import Parameter

from meterai.accounts import LEVERS, StaffRole
from meterai.approvals import deciding, service
from meterai.approvals.line import pull, tell
from meterai.approvals.model import KIND, Approval, ApprovalState, NotAsAsked
from meterai.approvals.pulling import Puller, staff_at_command_line, typed
from meterai.approvals.telling import forecast_of, is_as_asked, refused
from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    By,
    DryRun,
    Exit,
    Lever,
    Options,
    Reason,
    Text,
    line,
    text_only,
    with_database,
)
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read, show
from meterai.kit.text import one_line
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.messages import translate

Note = Annotated[str, Parameter(help="Reason, for the requester.", validator=text_only)]
Answer = TypeVar("Answer")
_LEVERS = {one.name: one for one in LEVERS}


def list_requests(
    options: Options = NO_OPTIONS,
    *,
    everything: Annotated[bool, Parameter(name="--all", negative="")] = False,
    as_json: AsJson = False,
) -> None:
    """List the requests for approval that wait for another person; with --all list decided requests too, the newest first."""

    async def look(database: Database, _: Settings) -> list[Approval]:
        async with database.reading() as tx:
            return await (service.newest(tx) if everything else service.waiting(tx))

    found = with_database("approvals list", options, look)
    if as_json:
        line(json.dumps([_shown(one) for one in found], indent=2))
        return
    for one in found:
        facts = (
            f"{name}={value}" for name, value in _shown(one).items() if value not in ("", None)
        )
        line(one_line(", ".join(facts)))
    line(f"{len(found)} in all")


def show_request(which: Text, options: Options = NO_OPTIONS) -> None:
    """Show a request for approval, with its forecast as it was shown to the requester."""

    async def look(database: Database, _: Settings) -> Approval:
        return await database.once(service.one, read(KIND, which))

    found = with_database("approvals show", options, look)
    for name, value in _shown(found).items():
        line(one_line(f"{name}: {value}"))
    if not found.is_kept:
        line("its forecast was deleted at the end of its retention")
    elif not is_as_asked(found):
        line(translate(f"refusal.{NotAsAsked.code}", "en"))
    else:
        tell(forecast_of(found.forecast))
    _tell_found(found)


def approve(which: Text, *, note: Note = "", by: By = None, options: Options = NO_OPTIONS) -> None:
    """Approve another person's request; it is executed if its forecast is unchanged."""
    request, at = read(KIND, which), SystemClock().now()

    async def run(database: Database, settings: Settings) -> Approval:
        levers = options.program.levers

        async def act(tx: Tx, who: Puller) -> Approval:
            return await deciding.approve(tx, levers, request, who, note, at=at, settings=settings)

        return await _as_staff(database, by, act)

    found = with_database("approvals approve", options, run)
    if found.state == ApprovalState.OVERTAKEN:
        line(
            f"{found.shown} is overtaken: nothing was executed, because the effect would differ "
            "from the forecast by now"
        )
        _tell_found(found)
        raise SystemExit(Exit.NO)
    line(f"{found.shown} is executed")


def decline(which: Text, *, note: Note, by: By = None, options: Options = NO_OPTIONS) -> None:
    """Decline another person's request."""
    request = read(KIND, which)

    async def run(database: Database, _: Settings) -> Approval:
        async def act(tx: Tx, who: Puller) -> Approval:
            return await deciding.decline(tx, options.program.levers, request, who, note)

        return await _as_staff(database, by, act)

    line(f"{with_database('approvals decline', options, run).shown} is declined")


def withdraw(which: Text, *, note: Note = "", by: By = None, options: Options = NO_OPTIONS) -> None:
    """Withdraw your own request."""
    request = read(KIND, which)

    async def run(database: Database, _: Settings) -> Approval:
        async def act(tx: Tx, who: Puller) -> Approval:
            return await deciding.withdraw(tx, request, who, note)

        return await _as_staff(database, by, act)

    line(f"{with_database('approvals withdraw', options, run).shown} is withdrawn")


async def _as_staff(
    database: Database, by: str | None, act: Callable[[Tx, Puller], Awaitable[Answer]]
) -> Answer:
    """Call `act` as the member of staff with the address `by`, in one transaction."""

    async def both(tx: Tx) -> Answer:
        return await act(tx, await staff_at_command_line(tx, by))

    return await database.run(both)


def _tell_found(found: Approval) -> None:
    if found.found is None:
        return
    if "refused" in found.found:
        line(f"it would be refused by now: {refused(found.found, 'en')} ({found.found['refused']})")
    else:
        line("the effect by now would be:")
        tell(forecast_of(found.found))


def _shown(one: Approval) -> dict[str, object]:
    return {
        "id": one.shown,
        "state": one.state,
        "command": one.command,
        "arguments": json.dumps(one.arguments, ensure_ascii=False),
        "reason": one.reason,
        "rows": one.rows,
        "rupiah": one.rupiah,
        "sha256": one.forecast_sha256.hex(),
        "requested_by": show("acc", one.requested_by),
        "requested_at": one.requested_at.isoformat(timespec="seconds"),
        "expires_at": one.expires_at.isoformat(timespec="seconds"),
        "decided_by": one.decided_by and show("acc", one.decided_by),
        "decided_at": one.decided_at and one.decided_at.isoformat(timespec="seconds"),
        "note": one.note,
    }


def _asked(name: str, **given: str) -> tuple[Lever, msgspec.Struct]:
    lever = _LEVERS[name]
    return lever, typed(lever, given)


def end_key(
    email: Text,
    key: Text,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """End an API key of an account; KEY is its id, as `accounts keys` shows it."""
    asked = _asked("accounts end-key", account=email, key=key)
    pull(options, *asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{key} has ended")


def end_sessions(
    email: Text,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """End all sessions of an account."""
    asked = _asked("sessions end", account=email)
    pull(options, *asked, by=by, reason=reason, dry_run=dry_run)
    line(f"all sessions of {email} have ended")


def give_role(
    email: Text,
    role: StaffRole,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Give a person a role of staff. The change waits until another supervisor approves it."""
    asked = _asked("staff give", account=email, role=role)
    pull(options, *asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{email} is {role}")


def end_role(
    email: Text,
    role: StaffRole,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """End a role of a member of staff. The change waits until another supervisor approves it."""
    asked = _asked("staff end", account=email, role=role)
    pull(options, *asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{email} no longer has the role {role}")


def close_sign_up(
    options: Options = NO_OPTIONS, *, reason: Reason = "", by: By = None, dry_run: DryRun = False
) -> None:
    """Stop making accounts for new addresses; people who have an account can still sign in."""
    pull(options, *_asked("sign-up close"), by=by, reason=reason, dry_run=dry_run)
    line("sign-up is closed")


def open_sign_up(
    options: Options = NO_OPTIONS, *, reason: Reason = "", by: By = None, dry_run: DryRun = False
) -> None:
    """Allow accounts for new addresses again."""
    pull(options, *_asked("sign-up open"), by=by, reason=reason, dry_run=dry_run)
    line("sign-up is open")


def approve_organization(
    organization: Text,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Approve an organization, so that its members can act for it; ORGANIZATION is its id."""
    asked = _asked("organizations approve", organization=organization)
    pull(options, *asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{organization} is approved")


def decline_organization(
    organization: Text,
    options: Options = NO_OPTIONS,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
) -> None:
    """Decline an organization, so that nobody can act for it; ORGANIZATION is its id."""
    asked = _asked("organizations decline", organization=organization)
    pull(options, *asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{organization} is declined")
