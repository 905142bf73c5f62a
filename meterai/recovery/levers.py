"""Levers (staff actions with a forecast) of recovery: start, next, back, hold, go, abandon; and refunds of unserved
orders.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from meterai import incidents, orders, refunds, stamps
from meterai.accounts import Permission
from meterai.commands import Effect, Forecast, Lever, NoArguments, Pull, offered_on
from meterai.kit.ids import read
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.money import Rupiah
from meterai.kit.numbers import at_most
from meterai.kit.reasons import written_reason
from meterai.kit.refusal import Malformed
from meterai.kit.subjects import Subject, SubjectKind
from meterai.orders import Order, OrderSettings, OrderState
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.recovery import gathering, steps
from meterai.recovery.model import (
    RECOVERY,
    RECOVERY_SUBJECT,
    OrderNotUnserved,
    Recovery,
    RecoveryStep,
    StepEvent,
)
from meterai.recovery.rules import StepVerdict, verdict_of

_Forecasting = Callable[[ReadTx, Any, Pull], Awaitable[Forecast]]
_CarryingOut = Callable[[Tx, Any, Pull], Awaitable[None]]
GIVEN_BACK_MAX = 500  # orders of one call: their transaction takes some seconds


class RecoveryStart(msgspec.Struct, frozen=True):
    """The incident whose recovery begins; if empty, the only open incident."""

    incident: str = ""


class ToStep(msgspec.Struct, frozen=True):
    """The step to which a recovery moves. Staff must name it: if the recovery moved meanwhile, the lever is
    refused instead of leading to a step that they did not choose.
    """

    step: str


class UnservedOrders(msgspec.Struct, frozen=True):
    """Orders to refund because their buyers no longer want them, as `ord_...` separated by spaces. Overdue orders are
    refunded even if they are not named.
    """

    orders: str = ""


async def _forecast_start(tx: ReadTx, asked: RecoveryStart, pull: Pull) -> Forecast:
    incident = await steps.incident_for(tx, asked.incident)
    if incident.held_by:
        raise incidents.IncidentHeld(incident.held_by)
    numbers = await gathering.numbers(tx, pull.at)
    about = Subject(SubjectKind.INCIDENT, incident.shown)
    effects = [
        Effect("recovery_starts", {"incident": incident.shown}, about),
        Effect("recovery_holds_line", {"waiting": at_most(numbers.waiting)}),
        Effect("recovery_closes_sign_up"),
        Effect("recovery_stops_nothing_paid"),
    ]
    return Forecast(effects, rows=1)


async def _start(tx: Tx, asked: RecoveryStart, pull: Pull) -> None:
    incident = await steps.incident_for(tx, asked.incident)
    await steps.start(tx, incident, at=pull.at, actor=pull.actor)


def _after(recovery: Recovery, asked: ToStep | NoArguments, event: StepEvent) -> RecoveryStep:
    """Return the step to which an event leads. Refuses `NotAllowedNow` if it differs from the step named in `asked`."""
    state = RECOVERY.after(recovery.state, event)
    if isinstance(asked, ToStep) and state != asked.step:
        raise NotAllowedNow(RECOVERY.subject, recovery.state, f"{event} to {asked.step}")
    return state


async def _forecast_move(
    tx: ReadTx, asked: ToStep | NoArguments, pull: Pull, *, event: StepEvent
) -> Forecast:
    recovery = await steps.under_way(tx)
    state = _after(recovery, asked, event)
    effects = [_effect(f"recovery_comes_to_{state}", recovery)]
    if state is RecoveryStep.DONE and gathering.Before.of(recovery).is_closed:
        effects.append(Effect("recovery_closes_again"))
    rows = rupiah = 0
    if event is StepEvent.NEXT:
        numbers = await gathering.numbers(tx, pull.at)
        if verdict_of(recovery.state, numbers) is not StepVerdict.HOLDS:
            effects.append(Effect("recovery_numbers_do_not_hold"))
        if steps.opens_issuing(recovery, numbers):
            waiting = await orders.waiting(tx)
            rows, rupiah = at_most(waiting.orders), at_most(waiting.rupiah)
            effects.append(Effect("recovery_executes", {"orders": rows, "rupiah": rupiah}))
    return Forecast(effects, rows=max(1, rows), rupiah=rupiah)


def _effect(word: str, recovery: Recovery) -> Effect:
    return Effect(
        word, {"recovery": recovery.shown}, Subject(RECOVERY_SUBJECT.kind, recovery.shown)
    )


async def _move(tx: Tx, asked: ToStep | NoArguments, pull: Pull, *, event: StepEvent) -> None:
    recovery = await steps.locked(tx)
    _after(recovery, asked, event)  # the worker may have moved the recovery since the forecast
    await steps.move(tx, recovery, event, at=pull.at, actor=pull.actor)


async def _forecast_going(tx: ReadTx, _: NoArguments, _pull: Pull, *, is_going: bool) -> Forecast:
    recovery = await steps.under_way(tx)
    if recovery.is_going == is_going:
        raise NotAllowedNow(RECOVERY.subject, recovery.state, "go" if is_going else "hold")
    return Forecast([_effect("recovery_goes" if is_going else "recovery_is_held", recovery)], 1)


async def _set_going(tx: Tx, _: NoArguments, pull: Pull, *, is_going: bool) -> None:
    await steps.set_going(tx, is_going=is_going, actor=pull.actor)


# -- refunds -------------------------------------------------------------------------------------


async def _named(tx: ReadTx, asked: UnservedOrders) -> list[Order]:
    """Return the orders named as no longer wanted by their buyers. Refuses `Malformed`, `NotFound`, `OrderNotUnserved`."""
    names = dict.fromkeys(asked.orders.replace(",", " ").split())
    if len(names) > GIVEN_BACK_MAX:
        raise Malformed("orders", "within_bounds", maximum=GIVEN_BACK_MAX)
    found = []
    for name in names:
        key = await orders.key_of(tx, read("ord", name))
        order = await orders.load(tx, *key)
        lot = (await stamps.lots(tx, key.account, [key.order])).get(key.order)
        if order.state is not OrderState.PAID or (lot is not None and lot.free != order.quantity):
            raise OrderNotUnserved(name)
        found.append(order)
    return found


async def _past_due(tx: ReadTx, named: Sequence[Order]) -> list[orders.OrderPastDue]:
    known = {one.id for one in named}
    found = await orders.past_due(tx, GIVEN_BACK_MAX)
    return [one for one in found if one.id not in known]


def _rupiah(found: Sequence[Order] | Sequence[orders.OrderPastDue]) -> int:
    return sum((one.total for one in found), Rupiah(0)).value


def _refund_effect(word: str, found: Sequence[Order] | Sequence[orders.OrderPastDue]) -> Effect:
    """Return the effect of refunding these orders. It contains their hash, so that an approval is bound to exactly
    these orders and not to others of the same sum.
    """
    numbers = b"".join(sorted(one.id.bytes for one in found))
    sha256 = hashlib.sha256(numbers).hexdigest()
    return Effect(word, {"orders": len(found), "rupiah": _rupiah(found), "sha256": sha256})


async def _forecast_refund(tx: ReadTx, asked: UnservedOrders, pull: Pull) -> Forecast:
    written_reason(pull.reason)
    await steps.under_way(tx)
    wanted = await _named(tx, asked)
    late = await _past_due(tx, wanted)
    if not wanted and not late:
        raise refunds.NothingToRefund(
            "no named order, or no order past its due time, can be refunded"
        )
    effects = [
        _refund_effect("recovery_gives_back_late", late),
        _refund_effect("recovery_gives_back_unwanted", wanted),
    ]
    return Forecast(effects, rows=len(late) + len(wanted), rupiah=_rupiah(late) + _rupiah(wanted))


async def _refund(tx: Tx, asked: UnservedOrders, pull: Pull) -> None:
    recovery = await steps.locked(tx)
    RECOVERY.after(recovery.state, StepEvent.ABANDONED)
    wanted = await _named(tx, asked)
    due_at = pull.at + timedelta(seconds=pull.settings.of(OrderSettings).stamps_due_seconds)
    for late in await _past_due(tx, wanted):
        await refunds.give_back_unserved(tx, late.account, late.id, due_at=due_at)
    for one in wanted:
        lots = await stamps.lots(tx, one.account, [one.id])
        if one.id in lots:  # its stamps are held for documents that are not sealed
            await refunds.ask(tx, one.account, one.id, None, due_at=due_at, actor=pull.actor)
        else:
            await refunds.give_back_unserved(tx, one.account, one.id, due_at=due_at)


def _on_recoveries(subject: Subject) -> Mapping[str, str] | None:
    return {} if subject.kind == RECOVERY_SUBJECT.kind else None


def _lever(
    name: str,
    forecast: _Forecasting,
    carry_out: _CarryingOut,
    arguments: type[msgspec.Struct] = NoArguments,
) -> Lever:
    return Lever(
        name=f"recover {name}",
        permission=Permission.CONSOLE_INCIDENTS,
        arguments=arguments,
        forecast=forecast,
        carry_out=carry_out,
        offered=_on_recoveries,
    )


def _step_lever(name: str, event: StepEvent, arguments: type[msgspec.Struct] = ToStep) -> Lever:
    forecast, carry_out = partial(_forecast_move, event=event), partial(_move, event=event)
    return _lever(name, forecast, carry_out, arguments)


START = Lever(
    name="recover start",
    permission=Permission.CONSOLE_INCIDENTS,
    arguments=RecoveryStart,
    forecast=_forecast_start,
    carry_out=_start,
    offered=offered_on(SubjectKind.INCIDENT, "incident"),
)
NEXT = _step_lever("next", StepEvent.NEXT)
BACK = _step_lever("back", StepEvent.BACK)
ABANDON = _step_lever("abandon", StepEvent.ABANDONED, NoArguments)
GO = _lever("go", partial(_forecast_going, is_going=True), partial(_set_going, is_going=True))
HOLD = _lever("hold", partial(_forecast_going, is_going=False), partial(_set_going, is_going=False))
# A refund moves money, so two people with the permission to move money are always needed.
REFUND = Lever(
    name="recover refund",
    permission=Permission.CONSOLE_MONEY,
    arguments=UnservedOrders,
    forecast=_forecast_refund,
    carry_out=_refund,
    is_always_approved=True,
    offered=_on_recoveries,
)
LEVERS = (START, NEXT, BACK, GO, HOLD, ABANDON, REFUND)
