"""Decisions on requests: a request is executed in the transaction of its approval, or ended without execution."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from meterai.accounts import Permission, permissions_of_staff
from meterai.approvals import store
from meterai.approvals.model import (
    APPROVAL,
    Approval,
    ApprovalEvent,
    ApprovalExpired,
    ApprovalState,
    ApprovalUnknown,
    NotAsAsked,
    OwnRequest,
    RequesterLeft,
    RequestOfAnother,
)
from meterai.approvals.pulling import Puller, kept_arguments, lever_of, record, record_pull
from meterai.approvals.telling import is_as_asked, kept
from meterai.commands import Forecast, Lever
from meterai.kit.ids import show
from meterai.kit.reasons import written_reason
from meterai.kit.refusal import Refusal
from meterai.kit.text import one_line
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Tx


async def _begun(
    tx: Tx, request: UUID, who: Puller, event: ApprovalEvent
) -> tuple[Approval, UUID, ApprovalState]:
    """Lock a request for approval. Return the request, the account of the person who decides, and the state that follows after
    `event`. Refuses `ApprovalUnknown`, `NotAllowedNow`.
    """
    found = await store.locked(tx, request)
    if found is None:
        raise ApprovalUnknown("no such request for approval")
    after = APPROVAL.after(found.state, event)  # refuses a request that was decided before
    assert who.account is not None, "only staff can decide"
    return found, who.account, after


async def _ended(
    tx: Tx,
    found: Approval,
    who: Puller,
    state: ApprovalState,
    note: str,
    more: Mapping[str, object] | None = None,
) -> Approval:
    """End a request with the final state `state` and the note of the person who ended it, and record this in the audit trail.
    `more` is stored as `found` (see `Approval`).
    """
    assert who.account is not None, "only staff can decide"
    await store.decide(tx, found.id, state, who.account, one_line(note), more)
    await record(
        tx,
        who,
        f"approval_{state}",
        found.id,
        lever=found.command,
        asked_by=show("acc", found.requested_by),
        sha256=found.forecast_sha256.hex(),
    )
    decided = await store.one(tx, found.id)
    assert decided is not None, "the staff action is locked"
    return decided


async def _overtaken(
    tx: Tx, found: Approval, who: Puller, note: str, more: Mapping[str, object]
) -> Approval:
    """End a request as overtaken, because its forecast differs from the forecast that was shown to the requester. `more` is the
    new forecast, or the refusal that came instead of a forecast.
    """
    state = APPROVAL.after(found.state, ApprovalEvent.OVERTAKEN)
    return await _ended(tx, found, who, state, note, more)


def _refused(refusal: Refusal) -> Mapping[str, object]:
    """Return a refusal in the form of the column `found`: its code, and the values that its message contains."""
    return {"refused": refusal.code, "facts": msgspec.to_builtins(refusal.facts(), enc_hook=str)}


async def approve(
    tx: Tx,
    levers: Mapping[str, Lever],
    request: UUID,
    who: Puller,
    note: str,
    *,
    at: datetime,
    settings: Settings,
) -> Approval:
    """Execute a request if its forecast is unchanged; otherwise end it as overtaken.  Returns the decided request.

    Refuses `ApprovalUnknown`, `NotAllowedNow`, `OwnRequest`, `ApprovalExpired`, `NotPermitted`, `RequesterLeft`,
    `LeverUnknown`, `ArgumentsUnreadable`, and what the lever refuses during execution. After a refusal the request
    still waits.
    """
    who = await who.as_now(tx)
    found, approver, _ = await _begun(tx, request, who, ApprovalEvent.EXECUTED)
    if approver == found.requested_by:
        raise OwnRequest("the requester cannot approve the request")
    if at >= found.expires_at:
        raise ApprovalExpired("the time to approve is over")
    lever = lever_of(levers, found.command)
    who.check(Permission.CONSOLE_APPROVE)
    who.check(lever.permission)
    if lever.permission not in await permissions_of_staff(tx, found.requested_by):
        raise RequesterLeft("the requester no longer has the permission for this staff action")
    if not is_as_asked(found):
        return await _overtaken(
            tx, found, who, note, _refused(NotAsAsked("the hash differs from the shown one"))
        )
    arguments = kept_arguments(lever, found.arguments)
    pull = who.pull(at, found.reason, settings)
    now: Forecast | None = None
    try:
        now = await lever.forecast(tx, arguments, pull)
    except Refusal as refusal:
        if refusal.status == 503:  # the database is busy or away, so the forecast is unknown
            raise
        more = _refused(refusal)
    else:
        more = kept(now)
    if now is None or now.digest(lever.name, arguments) != found.forecast_sha256:
        return await _overtaken(tx, found, who, note, more)
    await lever.carry_out(tx, arguments, pull)
    await record_pull(
        tx,
        lever,
        now,
        found.forecast_sha256,
        who,
        reason=found.reason,
        approval=found.shown,
        asked_by=show("acc", found.requested_by),
    )
    return await _ended(tx, found, who, ApprovalState.EXECUTED, note)


async def decline(
    tx: Tx, levers: Mapping[str, Lever], request: UUID, who: Puller, note: str
) -> Approval:
    """Decline a request; `note` is the required reason.  The lever of the request may be unknown to this release.

    Refuses `ApprovalUnknown`, `NotAllowedNow`, `OwnRequest`, `NotPermitted`, `ReasonMissing`.
    """
    who = await who.as_now(tx)
    found, approver, after = await _begun(tx, request, who, ApprovalEvent.DECLINED)
    if approver == found.requested_by:
        raise OwnRequest("only the requester can withdraw the request")
    who.check(Permission.CONSOLE_APPROVE)
    if found.command in levers:
        who.check(levers[found.command].permission)
    return await _ended(tx, found, who, after, written_reason(note))


async def withdraw(tx: Tx, request: UUID, who: Puller, note: str = "") -> Approval:
    """Withdraw a request for approval; only its requester may do so. Refuses `ApprovalUnknown`, `NotAllowedNow`,
    `RequestOfAnother`.
    """
    found, by, after = await _begun(tx, request, who, ApprovalEvent.WITHDRAWN)
    if by != found.requested_by:
        raise RequestOfAnother("only the requester can withdraw the request")
    return await _ended(tx, found, who, after, note)
