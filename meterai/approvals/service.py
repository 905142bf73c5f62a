"""Service of levers and approvals for the console, and the task that expires requests."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from meterai import trail
from meterai.accounts import NOBODY, Permission
from meterai.approvals import deciding, store
from meterai.approvals.invariants import AS_ASKED
from meterai.approvals.model import KIND, Approval, ApprovalUnknown
from meterai.approvals.pulling import (
    Pulled,
    Puller,
    forecast_for,
    lever_of,
    needs_approval,
    pull_in,
    typed,
)
from meterai.approvals.telling import is_as_asked
from meterai.commands import Forecast, Lever, Pull
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import Clock
from meterai.kit.ids import show
from meterai.kit.subjects import Subject
from meterai.plumbing.config import Settings
from meterai.plumbing.db.checks import AuditedPart
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.db.invariants import SHOWN_MAX, InvariantFinding
from meterai.plumbing.http.callers import Caller
from meterai.plumbing.work.retention import YEAR

LISTED_MAX = 200  # requests per page
EXPIRE = "expire_approvals"
READ_AT_ONCE = 500  # requests per read, of some kilobytes each
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Offered:
    """A lever that the console offers for a subject, and the arguments that prefill the form of the lever."""

    lever: Lever
    arguments: Mapping[str, str]


async def waiting(tx: ReadTx, limit: int = LISTED_MAX) -> list[Approval]:
    """Return the requests that wait for approval, the first to expire first."""
    return await store.waiting(tx, limit)


async def newest(tx: ReadTx, limit: int = LISTED_MAX) -> list[Approval]:
    """Return requests for approval in any state, the newest first."""
    return await store.newest(tx, limit)


async def one(tx: ReadTx, request: UUID) -> Approval:
    """Return a request for approval. Refuses `ApprovalUnknown`."""
    found = await store.one(tx, request)
    if found is None:
        raise ApprovalUnknown("no such request")
    return found


async def expire(tx: Tx) -> int:
    """Expire the requests for approval whose time is over; return their number."""
    ended = await store.expire(tx)
    for request in ended:
        subject = show(KIND, request)
        await trail.record(
            tx,
            NOBODY,
            actor=Actor(ActorKind.JOB, EXPIRE),
            action="approval_expired",
            subject=subject,
        )
    return len(ended)


async def as_asked(part: AuditedPart) -> InvariantFinding:
    """Return the finding of an invariant: each request matches its hash, unless retention has blanked it in due
    time. The hashes are computed in Python, because PostgreSQL writes JSON differently and SQL would compute
    other hashes.
    """
    async with part.database.reading() as tx:
        found = list(await store.blanked_early(tx, YEAR))
    last: UUID | None = _FIRST
    while last is not None:
        async with part.database.reading() as tx:
            batch = await store.kept(tx, last, READ_AT_ONCE)
        found += [one for one in batch if not is_as_asked(one)]
        last = batch[-1].id if batch else None
    evidence = [{"approval": one.shown, "command": one.command} for one in found[:SHOWN_MAX]]
    return InvariantFinding(AS_ASKED, len(found), evidence)


class ApprovalService:
    """Levers and approvals for the console. Each command is a separate transaction.

    A `caller` is a member of staff on a route for staff. `arguments` maps the names of the lever's arguments to the texts typed
    in a form.
    """

    def __init__(
        self, database: Database, levers: Mapping[str, Lever], settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self.levers = levers

    def lever(self, name: str) -> Lever:
        """Return the lever of this name.  Refuses `LeverUnknown`."""
        return lever_of(self.levers, name)

    def permitted(self, caller: Caller) -> Sequence[Lever]:
        """Return the levers that a member of staff may pull, sorted by name."""
        found = (self.levers[name] for name in sorted(self.levers))
        return [one for one in found if one.permission in caller.staff_permissions]

    def offered(
        self, caller: Caller, subject: Subject, told: Collection[str] = ()
    ) -> Sequence[Offered]:
        """Return the levers that the console offers to the caller for a subject; `told` are the kinds of events in the timeline
        of the subject, since some levers need such an event.
        """
        return [
            Offered(lever, arguments)
            for lever in self.permitted(caller)
            if (not lever.happened or lever.happened in told)
            and (arguments := lever.offered(subject)) is not None
        ]

    async def forecast(
        self, caller: Caller, lever_name: str, arguments: Mapping[str, str], reason: str = ""
    ) -> Forecast:
        """Return the forecast of a lever.  Refuses `LeverUnknown`, `Malformed`, `NotPermitted`, and what the lever
        refuses.
        """
        lever = self.lever(lever_name)
        told = typed(lever, arguments)
        who = Puller.of(caller)
        async with self._database.reading() as tx:
            return await forecast_for(tx, lever, told, who, self._wish(who, reason))

    def _wish(self, who: Puller, reason: str) -> Pull:
        return who.pull(self._clock.now(), reason, self._settings)

    def digest(self, lever_name: str, arguments: Mapping[str, str], forecast: Forecast) -> str:
        """Return the hexadecimal hash of a forecast, which a form sends back to `pull`."""
        lever = self.lever(lever_name)
        return forecast.digest(lever.name, typed(lever, arguments)).hex()

    def needs_approval(self, lever_name: str, forecast: Forecast) -> bool:
        """True if the lever with this forecast needs a second person."""
        return needs_approval(self.lever(lever_name), forecast, self._settings)

    async def pull(
        self,
        caller: Caller,
        lever_name: str,
        arguments: Mapping[str, str],
        reason: str,
        *,
        shown: str | None = None,
    ) -> Pulled:
        """Pull a lever (use a staff action): execute it, or store a request for approval if it needs a second person.

        `shown` is the `digest` of the forecast that was shown. Refuses `LeverUnknown`, `Malformed`, `NotPermitted`,
        `ForecastChanged`, `ReasonMissing`, `ActAskedFor`, and what the lever refuses.
        """
        lever = self.lever(lever_name)
        told, who = typed(lever, arguments), Puller.of(caller)

        wish = self._wish(who, reason)
        return await self._database.run(lambda tx: pull_in(tx, lever, told, who, wish, shown))

    async def waiting(self, tx: ReadTx) -> list[Approval]:
        """Return the requests that wait for approval, the first to expire first."""
        return await waiting(tx)

    async def newest(self, tx: ReadTx) -> list[Approval]:
        """Return requests for approval in any state, the newest first."""
        return await newest(tx)

    async def one(self, request: UUID) -> Approval:
        """Return a request for approval. Refuses `ApprovalUnknown`."""
        return await self._database.once(one, request)

    def may_decide(self, caller: Caller, approval: Approval) -> bool:
        """True if the caller may approve or decline a waiting request."""
        lever = self.levers.get(approval.command)
        needed = {Permission.CONSOLE_APPROVE, *([lever.permission] if lever else [])}
        return approval.requested_by != caller.person and needed <= caller.staff_permissions

    async def decide(self, request: UUID, by: Caller, *, approve: bool, note: str = "") -> Approval:
        """Approve or decline a request; the state of the returned request is `executed`, `declined` or `overtaken`.

        Refuses what `deciding.approve` and `deciding.decline` refuse.
        """
        who = Puller.of(by)

        async def act(tx: Tx) -> Approval:
            if not approve:
                return await deciding.decline(tx, self.levers, request, who, note)
            return await deciding.approve(
                tx,
                self.levers,
                request,
                who,
                note,
                at=self._clock.now(),
                settings=self._settings,
            )

        return await self._database.run(act)

    async def withdraw(self, request: UUID, by: Caller) -> Approval:
        """Withdraw a request of the caller.  Refuses what `deciding.withdraw` refuses."""
        return await self._database.run(lambda tx: deciding.withdraw(tx, request, Puller.of(by)))

    async def expire(self) -> int:
        """Periodic task: expire the requests for approval whose time is over; return their number."""
        return await self._database.run(expire)
