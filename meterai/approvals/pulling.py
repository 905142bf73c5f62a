"""Use ("pulling") of levers (staff actions): who pulls, the forecast, and execution at once or a request for approval."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

import msgspec

from meterai import trail
from meterai.accounts import (
    NOBODY,
    NotPermitted,
    Permission,
    StaffMember,
    has_supervisor,
    permissions_of_staff,
    staff_by_address,
)
from meterai.approvals import store
from meterai.approvals.model import (
    ARGUMENTS_BYTES_MAX,
    KIND,
    ArgumentsUnreadable,
    ForecastChanged,
    LeverUnknown,
    StaffUnknown,
)
from meterai.approvals.settings import ApprovalSettings
from meterai.approvals.telling import kept
from meterai.commands import Forecast, Lever, Pull, operator
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id, show
from meterai.kit.reasons import written_reason
from meterai.kit.refusal import Malformed
from meterai.kit.text import one_line
from meterai.plumbing.config import ConfigurationWrong, Settings
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.http.callers import Caller

# Maximum distance of a typed moment from now: nobody plans further ahead, and a mistyped year is refused.
MOMENT_AWAY_MAX = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Puller:
    """A person who pulls levers and decides on requests.

    `account` is None for an operator at the command line while no supervisor exists. Nobody could approve then, so
    levers are executed at once. `told` are facts for the audit trail on how the person got access, such as the user of
    the command line.
    """

    actor: Actor
    account: UUID | None
    permissions: frozenset[str]
    told: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, caller: Caller) -> Self:
        """Return the person who uses levers in the console, from the caller of a request to the console."""
        assert caller.actor.kind is ActorKind.STAFF, "only a route of staff can run a staff action"
        return cls(caller.actor, caller.person, caller.staff_permissions)

    @classmethod
    def of_operator(cls, actor: Actor) -> Self:
        """Return the operator who uses levers while no supervisor exists: the operator may pull every lever, and decide on no
        request.
        """
        return cls(actor, None, frozenset(Permission))

    @classmethod
    def member(cls, found: StaffMember, told: Mapping[str, str]) -> Self:
        """Return a member of staff as a person who uses levers; `told` are facts for the audit trail."""
        actor = Actor(ActorKind.STAFF, show("acc", found.account))
        return cls(actor, found.account, found.permissions, told)

    def pull(self, at: datetime, reason: str, settings: Settings) -> Pull:
        """Return the facts of a pull (one use of a lever) by this person: its time, its reason and the settings."""
        return Pull(self.actor, at, one_line(reason), settings)

    async def as_now(self, tx: ReadTx) -> Self:
        """Return this person with the current permissions, read again from the database."""
        if self.account is None:
            return self
        return replace(self, permissions=await permissions_of_staff(tx, self.account))

    def check(self, permission: str) -> None:
        """Check that the person has a permission.  Refuses `NotPermitted`."""
        if permission not in self.permissions:
            raise NotPermitted(Permission(permission))


@dataclass(frozen=True, slots=True)
class Pulled:
    """Result of a pull (one use of a lever): `request` is the id of the request that waits for approval; None if the lever was
    executed.
    """

    forecast: Forecast
    request: UUID | None

    @property
    def is_done(self) -> bool:
        """True if the lever was executed."""
        return self.request is None

    @property
    def shown(self) -> str:
        """Public id of the request; empty if there is none."""
        return "" if self.request is None else show(KIND, self.request)


async def at_command_line(tx: ReadTx, by: str | None) -> Puller:
    """Return the person who pulls levers at the command line. While no supervisor exists this is an operator with any name
    `by`; afterwards it is the member of staff with the mail address `by`.

    Refuses `StaffUnknown`.
    """
    if not await has_supervisor(tx):
        return Puller.of_operator(operator(by))
    return await staff_at_command_line(tx, by)


async def staff_at_command_line(tx: ReadTx, by: str | None) -> Puller:
    """Return the member of staff with the mail address `by`, as a person who uses levers at the command line. Refuses
    `StaffUnknown`.
    """
    try:
        found = await staff_by_address(tx, by or "")
    except Malformed:
        found = None
    if found is None:
        raise StaffUnknown("no member of staff has this address")
    return Puller.member(found, {"at": "command line", "user": str(operator(None).id)})


def lever_of(levers: Mapping[str, Lever], name: str) -> Lever:
    """Return the lever of this name.  Refuses `LeverUnknown`."""
    try:
        return levers[name]
    except KeyError:
        raise LeverUnknown(name) from None


def typed(lever: Lever, given: Mapping[str, object]) -> msgspec.Struct:
    """Return the arguments of a lever, converted from typed texts; an empty text counts as absent. Refuses
    `Malformed`.
    """
    filled = {name: value for name, value in given.items() if value not in ("", None)}
    for name in filled:
        if name not in lever.arguments.__struct_fields__:
            raise Malformed(name, "known_name")
    try:
        return msgspec.convert(filled, lever.arguments, strict=False)
    except msgspec.ValidationError as error:
        missing = [
            one.name
            for one in msgspec.structs.fields(lever.arguments)
            if one.required and one.name not in filled
        ]
        if missing:
            raise Malformed(missing[0], "given") from None
        raise Malformed(str(error).rpartition("$.")[2].strip("`"), "another_value") from None


def kept_arguments(lever: Lever, arguments: Mapping[str, object]) -> msgspec.Struct:
    """Return the arguments of a stored request. Refuses `ArgumentsUnreadable` if another release stored them in a form
    that this one cannot read.
    """
    try:
        found = msgspec.convert(arguments, lever.arguments)
    except msgspec.ValidationError:
        raise ArgumentsUnreadable(lever.name) from None
    # They differ if there are fields unknown to this release, or defaults that it would add.
    if msgspec.to_builtins(found) != arguments:
        raise ArgumentsUnreadable(lever.name)
    return found


def check_always(settings: Settings, levers: Mapping[str, Lever]) -> None:
    """Check that the setting `approval_always` names existing levers only, because an unknown name would protect nothing.
    Refuses `ConfigurationWrong`.
    """
    for name in sorted(settings.of(ApprovalSettings).always - levers.keys()):
        raise ConfigurationWrong(
            "approval_always", "settings", f"there is no staff action {name!r}"
        )


def needs_approval(lever: Lever, forecast: Forecast, settings: Settings) -> bool:
    """True if a pull of the lever with this forecast needs the approval of a second person."""
    policy = settings.of(ApprovalSettings)
    return (
        lever.is_always_approved
        or lever.name in policy.always
        or forecast.rupiah >= policy.approval_rupiah_from
        or forecast.rows >= policy.approval_rows_from
    )


async def forecast_for(
    tx: ReadTx, lever: Lever, arguments: msgspec.Struct, who: Puller, pull: Pull
) -> Forecast:
    """Return the forecast of a pull (one use of a lever). Refuses `NotPermitted`, `Malformed`, and what the lever refuses."""
    who.check(lever.permission)
    _check_moments(arguments, pull.at)
    return await lever.forecast(tx, arguments, pull)


def _check_moments(arguments: msgspec.Struct, now: datetime) -> None:
    """Check the times in the arguments of a lever. Refuses `Malformed` for a time further away from `now` than
    `MOMENT_AWAY_MAX`.
    """
    for name in arguments.__struct_fields__:
        value = getattr(arguments, name)
        if isinstance(value, datetime) and abs(value - now) > MOMENT_AWAY_MAX:
            raise Malformed(name, "within_bounds")


async def pull_in(
    tx: Tx,
    lever: Lever,
    arguments: msgspec.Struct,
    who: Puller,
    pull: Pull,
    shown: str | None = None,
) -> Pulled:
    """Pull a lever (use a staff action): execute it in this transaction, or store a request for approval if it needs a second
    person.

    `shown` is the hexadecimal hash of the forecast that was shown, None to skip the comparison. Pulls of one lever run one
    after another: the forecast of each is made when the previous pull has ended. Refuses `NotPermitted`, `ForecastChanged`,
    `ReasonMissing`, `ActAskedFor`, `Malformed`, and what the lever refuses.
    """
    who = await who.as_now(tx)
    await store.lock_lever(tx, lever.name)
    forecast = await forecast_for(tx, lever, arguments, who, pull)
    digest = forecast.digest(lever.name, arguments)
    if shown is not None and shown != digest.hex():
        raise ForecastChanged("the forecast has changed by now")
    if who.account is not None and needs_approval(lever, forecast, pull.settings):
        request = new_id()
        await store.ask(
            tx,
            request,
            lever.name,
            written_reason(pull.reason),
            digest,
            forecast.rows,
            forecast.rupiah,
            who.account,
            pull.settings.of(ApprovalSettings).approval_lives_seconds,
            jsonb(jsonable(arguments)),
            jsonb(kept(forecast)),
        )
        await record(tx, who, "approval_requested", request, lever=lever.name, sha256=digest.hex())
        return Pulled(forecast, request)
    await lever.carry_out(tx, arguments, pull)
    await record_pull(tx, lever, forecast, digest, who, reason=pull.reason)
    return Pulled(forecast, None)


def jsonable(arguments: msgspec.Struct) -> Mapping[str, object]:
    """Return the arguments of a lever as JSON values, in the form stored with a request. Refuses `Malformed` if they are too
    long for the database index that contains them.
    """
    text = msgspec.json.encode(arguments)
    if len(text) > ARGUMENTS_BYTES_MAX:
        raise Malformed("arguments", "within_bounds", maximum=ARGUMENTS_BYTES_MAX)
    found: Mapping[str, object] = msgspec.json.decode(text)
    return found


async def record_pull(
    tx: Tx,
    lever: Lever,
    forecast: Forecast,
    digest: bytes,
    who: Puller,
    /,
    *,
    reason: str,
    **facts: str,
) -> None:
    """Record the execution of a lever in the audit trail, without its arguments, which may name a person."""
    actor = who.actor
    await trail.record(
        tx,
        NOBODY,
        actor=actor,
        action="lever_pulled",
        subject=lever.name,
        sha256=digest.hex(),
        rows=forecast.rows,
        rupiah=forecast.rupiah,
        reason=reason,
        **facts,
        **who.told,
    )


async def record(tx: Tx, who: Puller, action: str, request: UUID, /, **facts: str) -> None:
    """Record an event of a request for approval in the audit trail."""
    subject, actor = show(KIND, request), who.actor
    await trail.record(tx, NOBODY, actor=actor, action=action, subject=subject, **facts, **who.told)
