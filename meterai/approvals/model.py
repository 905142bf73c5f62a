"""Requests for approval: states, stored form, refusals; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from meterai.kit.ids import show
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.refusal import CommandRefusal, Refusal, refusal_of_constraint
from meterai.kit.subjects import SubjectSort

APPROVAL_SUBJECT = SubjectSort("approval", prefix="apr", page="/console/approvals")

KIND = "apr"
ARGUMENTS_BYTES_MAX = 2_000  # as JSON: an index on waiting requests contains the arguments


class ApprovalState(StrEnum):
    """State of a request to pull a lever."""

    WAITING = "waiting"  # waits for the decision of another person
    EXECUTED = "executed"  # approved, and carried out in the same transaction
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # by its requester
    EXPIRED = "expired"
    OVERTAKEN = "overtaken"  # approved but not executed, because its forecast had changed


class ApprovalEvent(StrEnum):
    """Event that changes the state of a request to pull a lever."""

    EXECUTED = "executed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    OVERTAKEN = "overtaken"


_S, _E = ApprovalState, ApprovalEvent
APPROVAL = Lifecycle(
    "the approval",
    {
        (_S.WAITING, _E.EXECUTED): _S.EXECUTED,
        (_S.WAITING, _E.DECLINED): _S.DECLINED,
        (_S.WAITING, _E.WITHDRAWN): _S.WITHDRAWN,
        (_S.WAITING, _E.EXPIRED): _S.EXPIRED,
        (_S.WAITING, _E.OVERTAKEN): _S.OVERTAKEN,
    },
)


@dataclass(frozen=True, slots=True)
class Approval:
    """A request for approval to pull a lever, with its decision.

    `forecast` is the forecast that was shown to the requester. `found` is set for an overtaken request: the
    different forecast, or the refusal, that resulted when it was approved.
    """

    id: UUID
    command: str
    arguments: Mapping[str, object]
    reason: str
    forecast: Mapping[str, object]
    forecast_sha256: bytes
    rows: int
    rupiah: int
    requested_by: UUID
    requested_at: datetime
    expires_at: datetime
    state: ApprovalState
    decided_by: UUID | None
    decided_at: datetime | None
    note: str
    found: Mapping[str, object] | None

    @property
    def shown(self) -> str:
        """Public id of the request (`apr_...`)."""
        return show(KIND, self.id)

    @property
    def is_kept(self) -> bool:
        """True until the arguments and forecast of the request are blanked by retention."""
        return bool(self.forecast)


class StaffUnknown(CommandRefusal):
    """No member of staff has this address; once a supervisor exists, only staff pull levers."""

    code = "staff_unknown"
    status = 403


class ApprovalUnknown(Refusal):
    """No request has this id."""

    code = "approval_unknown"
    status = 404


class LeverUnknown(Refusal):
    """This release has no lever of this name."""

    code = "lever_unknown"
    status = 404

    def __init__(self, lever: str) -> None:
        super().__init__(f"no lever {lever}")
        self.lever = lever


class ArgumentsUnreadable(Refusal):
    """This release cannot read the arguments of the request."""

    code = "arguments_unreadable"
    status = 409

    def __init__(self, lever: str) -> None:
        super().__init__(f"the arguments of {lever} cannot be read")
        self.lever = lever


class OwnRequest(Refusal):
    """The requester may not approve or decline the request."""

    code = "own_request"
    status = 403


class RequestOfAnother(Refusal):
    """Only the requester may withdraw the request."""

    code = "request_of_another"
    status = 403


class ActAskedFor(Refusal):
    """The same lever with the same arguments already waits for approval."""

    code = "act_asked_for"
    status = 409


class ApprovalExpired(Refusal):
    """The request cannot be decided, because it expired."""

    code = "approval_expired"
    status = 409


class RequesterLeft(Refusal):
    """The requester is no longer staff, or may no longer pull this lever."""

    code = "requester_left"
    status = 409


class ForecastChanged(Refusal):
    """The forecast of the lever differs from the one that was shown."""

    code = "forecast_changed"
    status = 409


class NotAsAsked(Refusal):
    """The stored arguments or forecast of a request do not match its hash."""

    code = "not_as_asked"
    status = 409


refusal_of_constraint("approver_is_another", OwnRequest)
refusal_of_constraint("approval_is_withdrawn_by_who_asked", RequestOfAnother)
refusal_of_constraint("one_waiting_approval_of_one_act", ActAskedFor)
