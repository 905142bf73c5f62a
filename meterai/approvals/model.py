"""Approvals: states, what is kept of a request, and how pulling and deciding are refused; pure."""

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
ARGUMENTS_BYTES_MAX = 2_000  # as JSON: an index holds them, one waiting request for each


class ApprovalState(StrEnum):
    """State of a request to pull a lever."""

    WAITING = "waiting"  # for another person
    EXECUTED = "executed"  # approved, and carried out in the same transaction
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # by whoever asked
    EXPIRED = "expired"
    OVERTAKEN = "overtaken"  # approved, and not done: its forecast had changed


class ApprovalEvent(StrEnum):
    """An event in the life of a request."""

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
    """A request to pull a lever, and how it was decided.

    `forecast` is the forecast as it was shown, `found` what was found in its place by an approver who came too late.
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
        """Its id as people see it."""
        return show(KIND, self.id)

    @property
    def is_kept(self) -> bool:
        """False once its arguments and its forecast were blanked."""
        return bool(self.forecast)


class StaffUnknown(CommandRefusal):
    """Nobody of staff has this address, and once there is a supervisor only staff pull levers."""

    code = "staff_unknown"
    status = 403


class ApprovalUnknown(Refusal):
    """There is no request of this number."""

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
    """The arguments of a request are not those that the lever takes in this release."""

    code = "arguments_unreadable"
    status = 409

    def __init__(self, lever: str) -> None:
        super().__init__(f"the arguments of {lever} cannot be read")
        self.lever = lever


class OwnRequest(Refusal):
    """A request is decided by somebody else than its requester."""

    code = "own_request"
    status = 403


class RequestOfAnother(Refusal):
    """A request is withdrawn by whoever made it, and by nobody else."""

    code = "request_of_another"
    status = 403


class ActAskedFor(Refusal):
    """The same lever with the same arguments waits for approval."""

    code = "act_asked_for"
    status = 409


class ApprovalExpired(Refusal):
    """The time in which the request could be approved is over."""

    code = "approval_expired"
    status = 409


class RequesterLeft(Refusal):
    """The requester is not staff any more, or has no right to this lever."""

    code = "requester_left"
    status = 409


class ForecastChanged(Refusal):
    """The lever would do something else by now than what was shown."""

    code = "forecast_changed"
    status = 409


class NotAsAsked(Refusal):
    """The arguments or the forecast of a request do not have the hash of what was asked for."""

    code = "not_as_asked"
    status = 409


refusal_of_constraint("approver_is_another", OwnRequest)
refusal_of_constraint("approval_is_withdrawn_by_who_asked", RequestOfAnother)
refusal_of_constraint("one_waiting_approval_of_one_act", ActAskedFor)
