"""Register of breaches: entry, notification of subjects and agency, closing."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from meterai import accounts, notifications, trail
from meterai.accounts import NOBODY
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import Clock
from meterai.kit.ids import read, show
from meterai.kit.refusal import Malformed, NotFound
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.messages import LANGUAGES, format_datetime
from meterai.plumbing.work.periodic import each, run_row
from meterai.privacy import store
from meterai.privacy.model import (
    BREACH,
    BREACH_KIND,
    SUBJECTS_MAX,
    Breach,
    BreachEvent,
    BreachKnownLater,
    BreachNotTold,
    BreachState,
    BreachSubjectsUnreadable,
    BreachToldBefore,
    BreachUnknown,
    DueBreach,
)

EVERYBODY = "all"
BREACHES_AT_ONCE = 20  # per run of the task
# Mails per batch of a breach, and the maximum of its unsent mails at which the next batch is queued:
# so other mails never wait behind more than both together.
BATCH, MAILS_WAITING_MAX = 100, 50
_TELLER = Actor(ActorKind.JOB, f"privacy.{store.TELLING}")


class BreachRecipient(StrEnum):
    """Recipient of a breach notification."""

    AGENCY = "agency"
    SUBJECTS = "subjects"


async def subjects_of(tx: ReadTx, text: str) -> list[UUID] | None:
    """Return the accounts named in a text, by mail address or as `acc_...`; None for the text `all`.

    Refuses `BreachSubjectsUnreadable`, `NotFound`.
    """
    named = text.replace(",", " ").split()
    if named == [EVERYBODY]:
        return None
    if not 1 <= len(named) <= SUBJECTS_MAX or EVERYBODY in named:
        raise BreachSubjectsUnreadable
    try:
        return sorted({await accounts.account_named(tx, one) for one in named})
    except Malformed:
        raise BreachSubjectsUnreadable from None


async def one(tx: ReadTx, text: str) -> Breach:
    """Return a breach by its number (`brc_...`).  Refuses `BreachUnknown`."""
    try:
        found = await store.breach(tx, read(BREACH_KIND, text))
    except NotFound:
        found = None
    if found is None:
        raise BreachUnknown(text)
    return found


async def not_told(tx: ReadTx, found: Breach) -> int:
    """Count the subjects that could not be notified, because they were erased or their mail was given up."""
    return found.erased + (await notifications.unsent_of(tx, _cause(found.id))).given_up


async def open_breach(
    tx: Tx,
    breach: UUID,
    texts: Sequence[str],
    subjects: Sequence[UUID] | None,
    *,
    known_at: datetime,
    actor: Actor,
    at: datetime,
) -> None:
    """Enter a breach.  `texts` describe the exposed data, the event and its handling, each in Indonesian and English.

    Refuses `BreachKnownLater`.
    """
    if known_at > at:
        raise BreachKnownLater("the time when it became known is in the future")
    await store.insert_breach(tx, breach, at=at, known_at=known_at, texts=texts, accounts=subjects)
    await _record(tx, show(BREACH_KIND, breach), "breach_opened", actor)


async def tell(tx: Tx, breach: UUID, who: BreachRecipient, *, actor: Actor, at: datetime) -> None:
    """Record that the agency was notified, or start the notification of the subjects.  Refuses `BreachToldBefore`."""
    found = await _locked(tx, breach)
    check_untold(found, who)
    if who == BreachRecipient.AGENCY:
        await store.tell_agency(tx, breach, at)
        await _record(tx, found.shown, "breach_agency_told", actor)
    else:
        await store.begin_telling(tx, breach, at)
        await _record(tx, found.shown, "breach_subjects_telling", actor)


def check_untold(found: Breach, who: BreachRecipient) -> None:
    """Check that a recipient was not notified yet. Refuses `BreachToldBefore`, and `NotAllowedNow` for a closed
    breach.
    """
    event = BreachEvent.AGENCY_TOLD if who == BreachRecipient.AGENCY else BreachEvent.SUBJECTS_TOLD
    BREACH.after(found.state, event)
    if (found.agency_told_at if who == BreachRecipient.AGENCY else found.subjects_from) is not None:
        raise BreachToldBefore(f"{who} of {found.shown}")


def check_closes(found: Breach, not_told: str) -> None:
    """Check that a breach may be closed.  Refuses `BreachNotTold` if a recipient was not notified and no reason is
    given.
    """
    BREACH.after(found.state, BreachEvent.CLOSED)
    if not found.is_told and not not_told:
        raise BreachNotTold(found.shown)


async def close(tx: Tx, breach: UUID, not_told: str, *, actor: Actor, at: datetime) -> None:
    """Close a breach; `not_told` is the reason why a recipient was not notified, or empty.  Refuses `BreachNotTold`."""
    found = await _locked(tx, breach)
    check_closes(found, not_told)
    await store.close_breach(tx, breach, not_told, at)
    await _record(tx, found.shown, "breach_closed", actor)


async def _locked(tx: Tx, breach: UUID) -> Breach:
    found = await store.locked_breach(tx, breach)
    if found is None:
        raise BreachUnknown(str(breach))
    return found


async def _record(tx: Tx, shown: str, action: str, actor: Actor) -> None:
    await trail.record(tx, NOBODY, actor=actor, action=action, subject=shown)


class Telling:
    """Notifies the subjects of breaches by mail, in batches."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def tell_subjects(self) -> int:
        """Periodic task: queue the next batch of mails of each breach that has few unsent mails; return the
        number of queued mails.
        """
        queued: list[int] = []

        async def act(due: DueBreach) -> None:
            queued.append(await run_row(self._database, self._batch, due.breach))

        found = await self._database.once(store.to_tell, BREACHES_AT_ONCE)
        await each(self._database, store.TELLING, found, act, subject="breach", at_once=1)
        return sum(queued)

    async def _batch(self, tx: Tx, breach: UUID) -> int:
        found = await _locked(tx, breach)
        if found.subjects_told_at is not None or found.state != BreachState.OPEN:
            return 0
        if (await notifications.unsent_of(tx, _cause(breach))).untried > MAILS_WAITING_MAX:
            return 0
        if found.accounts is None:
            subjects = await accounts.people_after(tx, found.subjects_after, BATCH)
        else:
            after = found.subjects_after
            subjects = [one for one in found.accounts if after is None or one > after][:BATCH]
        queued = 0
        for account in subjects:
            queued += await notifications.queue(
                tx,
                account,
                cause=_cause(breach),
                template="breach_told",
                facts=_facts(found),
            )
        is_end = len(subjects) < BATCH
        last = subjects[-1] if subjects else None
        await store.told_to(tx, breach, last, queued, self._clock.now() if is_end else None)
        if is_end:
            await _record(tx, found.shown, "breach_subjects_told", _TELLER)
        return queued


def _cause(breach: UUID) -> str:
    return f"breach_told:{breach}"


def _facts(found: Breach) -> dict[str, object]:
    return {
        "breach": found.shown,
        "known": {one: format_datetime(found.known_at, one) for one in LANGUAGES},
        "exposed": dict(found.exposed),
        "happened": dict(found.happened),
        "handling": dict(found.handling),
    }
