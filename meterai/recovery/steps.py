"""Steps of a recovery: one transaction moves the recovery, makes the changes of the new step, and announces it.

If the process crashes, nothing of the step was done: the next automatic look at the numbers, or the next use of the lever
(staff action), does all of it. Each change sets a target state, so that repeating a change has no effect.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from meterai import accounts, incidents, stamps, trail, waiting_room
from meterai.accounts import NOBODY
from meterai.incidents import Incident, IncidentKind, IncidentState
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id, read, show
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.refusal import Refusal
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.recovery import gathering, store
from meterai.recovery.gathering import Before
from meterai.recovery.model import (
    KIND,
    RECOVERY,
    STEPS,
    IncidentNotNamed,
    LiveNumbers,
    NoRecovery,
    Recovery,
    RecoveryStatus,
    RecoveryStep,
    RecoveryUnderWay,
    StepEvent,
    StepTaken,
    is_at_or_after,
)
from meterai.recovery.rules import Look, look, verdict_of
from meterai.waiting_room import GuardedAct

ADVANCE = "advance_recovery"  # name of the periodic task
BY_ITSELF = Actor(ActorKind.JOB, ADVANCE)


async def status(tx: ReadTx, now: datetime) -> RecoveryStatus:
    """Return the current recovery, or the last one if none is under way, with the moves that it made and the current live
    numbers.
    """
    found = next(iter(await store.newest(tx)), None)
    taken = await store.taken(tx, found.id) if found else ()
    return RecoveryStatus(found, taken, await gathering.numbers(tx, now), now)


async def under_way(tx: ReadTx) -> Recovery:
    """Return the current recovery. Refuses `NoRecovery`."""
    found = await store.under_way(tx)
    if found is None:
        raise NoRecovery("no recovery is under way")
    return found


async def incident_for(tx: ReadTx, named: str) -> Incident:
    """Return the incident of a new recovery: the incident with the public id `named`; if `named` is empty, the
    only open incident whose effects people feel now.

    Refuses `RecoveryUnderWay`, `IncidentNotNamed`, `IncidentUnknown`, `IncidentHeld`, and `NotAllowedNow` if the
    incident is over.
    """
    if (first := await store.under_way(tx)) is not None:
        raise RecoveryUnderWay(first.shown)
    if named:
        found = await incidents.one(tx, read(incidents.KIND, named))
    else:
        felt = [one for one in await incidents.open_now(tx) if one.is_felt]
        if len(felt) != 1:
            raise IncidentNotNamed(f"{len(felt)} incidents are open")
        [found] = felt
    if not found.is_felt:
        raise NotAllowedNow("the incident", found.state, "held")
    return found


async def start(tx: Tx, incident: Incident, *, at: datetime, actor: Actor) -> UUID:
    """Begin the recovery from an incident with its first step; return its id.

    Refuses `RecoveryUnderWay`, `IncidentHeld`, `NotAllowedNow`.
    """
    recovery, numbers = new_id(), await gathering.numbers(tx, at)
    buying = await waiting_room.hold(tx, GuardedAct.BUY, _reason(), at=at, actor=actor)
    before = await gathering.before(tx, buying)
    await store.insert(tx, recovery, incident.id, before.kept(), at)
    await incidents.hold(tx, incident.id, show(KIND, recovery))
    taken = StepTaken(1, RecoveryStep.CLOSING, StepEvent.STARTED, str(actor), numbers, at)
    await store.take(tx, recovery, taken)
    begun = await store.one(tx, recovery)
    assert begun is not None
    await _apply_step(tx, begun, at, actor)
    await _record(tx, actor, begun, taken, await _update_incident(tx, begun, taken, actor))
    return recovery


async def move(
    tx: Tx, recovery: Recovery, event: StepEvent, *, at: datetime, actor: Actor
) -> RecoveryStep:
    """Move a recovery forward or back, or abandon it, by hand or automatically; return its new state. Refuses
    `NotAllowedNow`.
    """
    state = RECOVERY.after(recovery.state, event)
    at = max(at, recovery.moved_at)  # a clock that was set back does not change the order of steps
    numbers = await gathering.numbers(tx, at)
    taken = StepTaken(recovery.number + 1, state, event, str(actor), numbers, at)
    is_by_itself = actor == BY_ITSELF
    backs = recovery.backs + (event is StepEvent.BACK) if is_by_itself else 0
    await store.take(tx, recovery.id, taken)
    ended_at = None if state in STEPS else at
    await store.move(tx, recovery.id, taken, backs=backs, ended_at=ended_at)
    moved = replace(recovery, state=state, number=taken.number, moved_at=at, ended_at=ended_at)
    if event is StepEvent.NEXT and opens_issuing(recovery, numbers) and not is_by_itself:
        await stamps.set_issuing(tx, is_open=True, reason=recovery.shown, actor=actor)
    await _apply_step(tx, moved, at, actor)
    await _record(tx, actor, moved, taken, await _update_incident(tx, moved, taken, actor))
    return state


async def locked(tx: Tx) -> Recovery:
    """Return the current recovery, locked until the transaction ends. Refuses `NoRecovery`."""
    found = await store.under_way(tx, is_locked=True)
    if found is None:
        raise NoRecovery("no recovery is under way")
    return found


async def set_going(tx: Tx, *, is_going: bool, actor: Actor) -> None:
    """Switch the current recovery to automatic moves, or to moves by hand. Refuses `NoRecovery`."""
    recovery = await locked(tx)
    await store.set_going(tx, recovery.id, is_going=is_going)
    action = "recovery_goes" if is_going else "recovery_held"
    await trail.record(tx, NOBODY, actor=actor, action=action, subject=recovery.shown)


async def move_automatically(tx: Tx, now: datetime) -> RecoveryStep | None:
    """Move an automatic recovery if its live numbers allow or require it. Return the new step, or None without a move."""
    recovery = await store.under_way(tx, is_locked=True)
    if recovery is None or not recovery.is_going:
        return None
    numbers = await gathering.numbers(tx, now)
    verdict = verdict_of(recovery.state, numbers)
    before = Look(recovery.holds_since, recovery.worse_since)
    found = look(recovery.state, verdict, before, recovery.backs, now)
    await store.looked(tx, recovery.id, found.holds_since, found.worse_since, now)
    if found.event is None or (found.event is StepEvent.NEXT and opens_issuing(recovery, numbers)):
        return None
    return await move(tx, recovery, found.event, at=now, actor=BY_ITSELF)


def opens_issuing(recovery: Recovery, numbers: LiveNumbers) -> bool:
    """True if the next step starts the issuing of stamps that somebody stopped; this may need a second person."""
    return recovery.state is RecoveryStep.STAMPINGS and bool(numbers.issuing_stopped)


# -- changes of a step ---------------------------------------------------------------------------


def _reason() -> dict[str, str]:
    return {language: translate("recovery.reason", language) for language in LANGUAGES}


async def _apply_step(tx: Tx, recovery: Recovery, at: datetime, actor: Actor) -> None:
    """Open or close buying, sign-up and checking as the state of the recovery requires."""
    state, before = recovery.state, Before.of(recovery)
    if state not in STEPS:
        await _restore(tx, recovery, actor)
        return
    if is_at_or_after(state, RecoveryStep.BUYING):
        await waiting_room.let_in(tx, GuardedAct.BUY, actor=actor)
    else:
        await waiting_room.hold(tx, GuardedAct.BUY, _reason(), at=at, actor=actor)
    await accounts.set_sign_up(tx, is_open=is_at_or_after(state, RecoveryStep.SIGN_UP), actor=actor)
    if before.checking is not None:
        if is_at_or_after(state, RecoveryStep.CHECKING):
            await waiting_room.let_in(tx, GuardedAct.CHECK, actor=actor)
        else:
            await waiting_room.put_back(
                tx, GuardedAct.CHECK, before.checking, _reason(), actor=actor
            )


async def _restore(tx: Tx, recovery: Recovery, actor: Actor) -> None:
    """Restore buying, sign-up and checking to their state before the recovery."""
    before = Before.of(recovery)
    await waiting_room.put_back(tx, GuardedAct.BUY, before.buying, _reason(), actor=actor)
    if before.checking is not None:
        await waiting_room.put_back(tx, GuardedAct.CHECK, before.checking, _reason(), actor=actor)
    await accounts.set_sign_up(tx, is_open=before.was_sign_up_open, actor=actor)


# -- announcements -------------------------------------------------------------------------------


async def _update_incident(tx: Tx, recovery: Recovery, taken: StepTaken, actor: Actor) -> str:
    """Add an update about a move of the recovery to its incident; page, feed and mails show the update. If the recovery has
    ended, the incident can be resolved from now on.

    Returns an empty text, or the code of the refusal if the incident takes no update: it has the maximum number of updates, or
    was changed by SQL. The recovery continues in either case.
    """
    word = "back" if taken.event is StepEvent.BACK else str(taken.state)
    if taken.state is RecoveryStep.DONE and Before.of(recovery).is_closed:
        word = "done_as_before"
    texts = {language: translate(f"recovery.told.{word}", language) for language in LANGUAGES}
    try:
        if recovery.ended_at is not None:
            await incidents.release(tx, recovery.incident)
        incident = await incidents.one(tx, recovery.incident)
        state = incident.state
        if incident.kind is IncidentKind.INCIDENT:
            is_open = is_at_or_after(taken.state, RecoveryStep.CHECKING)
            state = IncidentState.MONITORING if is_open else IncidentState.IDENTIFIED
        await incidents.add_update(
            tx,
            recovery.incident,
            state=state,
            text_id=texts["id"],
            text_en=texts["en"],
            at=taken.entered_at,
            actor=actor,
        )
    except Refusal as refusal:
        return refusal.code
    return ""


async def _record(tx: Tx, actor: Actor, recovery: Recovery, taken: StepTaken, untold: str) -> None:
    facts: dict[str, object] = {"step": str(taken.state), "number": taken.number}
    if untold:
        facts["untold"] = untold
    action = f"recovery_{taken.event}"
    await trail.record(tx, NOBODY, actor=actor, action=action, subject=recovery.shown, **facts)
