"""Steps of a case within a transaction: each checks the lifecycle, stores the state and writes the audit trail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from meterai import accounts, notifications, trail
from meterai.cases import store
from meterai.cases.answers import CaseAnswer
from meterai.cases.model import (
    A_DAY,
    CASE,
    CASE_KIND,
    CASES_PER_DAY_MAX,
    MESSAGES_MAX,
    MESSAGES_OF_PERSON_MAX,
    PICTURES_MAX,
    UNSIGNED_MESSAGES_MAX,
    UNSIGNED_OPEN_MAX,
    UNSIGNED_PER_DAY_MAX,
    Author,
    CameMeanwhile,
    Case,
    CaseEvent,
    CaseFull,
    CaseOutcome,
    CaseOver,
    CaseState,
    Complaint,
    ComplaintSubject,
    MessageKind,
    TooManyCases,
    TooManyPictures,
    address_account,
    joins_key,
)
from meterai.cases.settings import CaseSettings
from meterai.cases.store import NewMessage
from meterai.cases.words import in_both, stored
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import NotFound
from meterai.kit.working_hours import due
from meterai.plumbing.db.database import Tx
from meterai.plumbing.http.requests import IdempotencyKeyReused
from meterai.plumbing.messages import LANGUAGES, format_datetime, translate


@dataclass(frozen=True, slots=True)
class DigestedAnswer:
    """An automatic answer, with the digest of the facts in our records that it was derived from."""

    answer: CaseAnswer
    digest: bytes


@dataclass(frozen=True, slots=True)
class Moment:
    """Time and actor of a step, and the settings in force."""

    at: datetime
    actor: Actor
    settings: CaseSettings

    @property
    def due_at(self) -> datetime:
        """Due time of the answer by staff, for a case that starts to wait for staff now."""
        return due(self.at, self.settings.case_hours, self.settings.calendar)

    @property
    def closes_at(self) -> datetime:
        """Closing time of a case that starts to wait for its person now, if the person does not write."""
        return self.at + timedelta(days=self.settings.case_closes_days)


async def locked(tx: Tx, account: UUID, case_id: UUID) -> Case:
    """Lock and return a case of an account.  Refuses `NotFound`."""
    found = await store.case(tx, account, case_id, is_locked=True)
    if found is None:
        raise NotFound("no such case")
    return found


async def move(
    tx: Tx, case: Case, event: CaseEvent, now: Moment, outcome: CaseOutcome | None = None
) -> Case:
    """Apply an event to a case, store it, write the audit trail and return the case.  Refuses `NotAllowedNow`."""
    state = CASE.after(case.state, event)
    waits = state in (CaseState.ANSWERED, CaseState.ASKED)
    is_new = case.due_at is None or event == CaseEvent.REOPENED
    by = case.answered_by
    if event in (CaseEvent.ANSWERED, CaseEvent.ANSWERED_FROM_FACTS):
        by = Author.STAFF if event == CaseEvent.ANSWERED else Author.FACTS
    moved = replace(
        case,
        state=state,
        due_at=(now.due_at if is_new else case.due_at) if state == CaseState.OPEN else None,
        closes_at=now.closes_at if waits else None,
        closed_at=now.at if state == CaseState.CLOSED else None,
        outcome=outcome if state == CaseState.CLOSED else None,
        reopened_at=now.at if event == CaseEvent.REOPENED else case.reopened_at,
        answered_by=by,
    )
    await store.move(tx, moved)
    actor = now.actor
    await trail.record(
        tx, case.account, actor=actor, action=f"case_{event}", subject=show(CASE_KIND, case.id)
    )
    return moved


# -- complaints ------------------------------------------------------------------------------------


async def repeated(tx: Tx, account: UUID, complaint: Complaint) -> Case | None:
    """Return the case of a repeated request; None if the request is new.  Refuses `IdempotencyKeyReused`."""
    if complaint.key is None:
        return None
    request = await store.request_of(tx, account, complaint.key)
    if request is None:
        return None
    if request != complaint.request_hash:
        raise IdempotencyKeyReused("the key was used for another complaint")
    return await store.case_by_key(tx, account, complaint.key)


async def take(
    tx: Tx, account: UUID, complaint: Complaint, about: ComplaintSubject, found: DigestedAnswer | None, now: Moment,
    staff: UUID | None = None,
) -> Case:  # fmt: skip
    """Open a case for a complaint, or add the complaint to the unclosed case of the same matter and order.

    The case is answered at once if an answer was `found` in our records.  Raises `CameMeanwhile`.  Refuses `TooManyCases`,
    `TooManyPictures`, `IdempotencyKeyReused`.
    """
    if len(complaint.pictures) > PICTURES_MAX:
        raise TooManyPictures
    if (same := await repeated(tx, account, complaint)) is not None:
        return same
    known = await store.not_closed(tx, account, joins_key(complaint.matter, about.shown))
    if known is None:
        opened = await _open(tx, account, complaint, about, now)
        if opened is not None:
            return await _begin(tx, opened, complaint, found, now, staff)
        known = await store.not_closed(tx, account, joins_key(complaint.matter, about.shown))
    assert known is not None, "the row exists if another could not be inserted"
    return await _join(tx, known, complaint, found, now)


async def take_unsigned(
    tx: Tx, complaint: Complaint, about: ComplaintSubject, found: DigestedAnswer | None, now: Moment
) -> bool:
    """Open a case for a complaint without sign-in, or add the complaint to the unclosed case of its matter and subject.

    Unlike a message of a signed-in person, the complaint never counts as a reply to a question of staff.  Only a new case sends
    a mail.  Returns False if the address has reached its maximum of cases.
    """
    account = address_account(complaint.contact)
    if await repeated(tx, account, complaint) is not None:
        return True
    joins = joins_key(complaint.matter, about.shown)
    if (known := await store.not_closed(tx, account, joins)) is not None:
        await store.told_again(tx, known)
        if (await store.counted(tx, known)).complaints < UNSIGNED_MESSAGES_MAX:
            await _write_complaint(tx, known, complaint, now, None)
        return True
    counted = await store.counted_of(tx, account, now.at - A_DAY)
    if counted.waiting >= UNSIGNED_OPEN_MAX or counted.new >= UNSIGNED_PER_DAY_MAX:
        return False
    opened = await _open(tx, account, complaint, about, now)
    if opened is not None:
        await _begin(tx, opened, complaint, found, now, None)
    return True


async def close_unsigned(tx: Tx, email: str, now: Moment) -> None:
    """Close the cases that were sent from a mail address without sign-in: the address is erased, and nobody can be answered."""
    for case in await store.all_not_closed(tx, address_account(email)):
        await move(tx, case, CaseEvent.TIME_RAN_OUT, now, CaseOutcome.SILENT)


async def _open(
    tx: Tx, account: UUID, complaint: Complaint, about: ComplaintSubject, now: Moment
) -> Case | None:
    if (await store.counted_of(tx, account, now.at - A_DAY)).new >= CASES_PER_DAY_MAX:
        raise TooManyCases("the limit of new cases of an account in a day is reached")
    case = new_id()
    is_new = await store.insert(tx, account, case, complaint, about, now.at, now.due_at)
    return await locked(tx, account, case) if is_new else None


async def _begin(
    tx: Tx,
    case: Case,
    complaint: Complaint,
    found: DigestedAnswer | None,
    now: Moment,
    staff: UUID | None,
) -> Case:
    actor = now.actor
    await trail.record(
        tx, case.account, actor=actor, action="case_opened", subject=show(CASE_KIND, case.id)
    )
    await _write_complaint(tx, case, complaint, now, staff)
    if found is not None:
        return await _answer(tx, case, found, now)
    due_at = {one: format_datetime(now.due_at, one) for one in LANGUAGES}
    await mail(tx, case, "case_received", f"case_received:{case.id}", due=due_at)
    return case


async def _join(
    tx: Tx, case: Case, complaint: Complaint, found: DigestedAnswer | None, now: Moment
) -> Case:
    await store.told_again(tx, case)
    if not await _has_room(tx, case):
        return case
    await _write_complaint(tx, case, complaint, now, None)
    if case.state == CaseState.ASKED or case.answered_by == Author.STAFF:
        if case.state != CaseState.OPEN:
            return await move(tx, case, CaseEvent.REPLIED, now)
        return case
    if found is None or case.state != CaseState.ANSWERED:
        return case
    if (found.answer.code, stored(found.answer)) == (case.answer, case.answer_facts):
        return case
    return await _answer(tx, case, found, now)


async def _write_complaint(
    tx: Tx, case: Case, complaint: Complaint, now: Moment, staff: UUID | None
) -> None:
    author = Author.PERSON if staff is None else Author.STAFF
    request = complaint.request_hash if complaint.key else None
    message = NewMessage(
        new_id(), author, MessageKind.COMPLAINT, complaint.words, now.at, staff,
        complaint.key, request,
    )  # fmt: skip
    if not await store.write(tx, case, message):
        raise CameMeanwhile
    await keep_pictures(tx, case, complaint.pictures, now.at)


async def keep_pictures(tx: Tx, case: Case, pictures: Sequence[bytes], at: datetime) -> None:
    """Store the pictures that a person sent as evidence for a case.  Refuses `TooManyPictures`."""
    if not pictures:
        return
    if len(await store.pictures(tx, case)) + len(pictures) > PICTURES_MAX:
        raise TooManyPictures
    for webp in pictures:
        await store.keep_picture(tx, case, new_id(), webp, at)


async def _has_room(tx: Tx, case: Case) -> bool:
    """True if the person may write another message to a case."""
    counted = await store.counted(tx, case)
    return counted.of_person < MESSAGES_OF_PERSON_MAX and counted.messages < MESSAGES_MAX


async def _answer(tx: Tx, case: Case, found: DigestedAnswer, now: Moment) -> Case:
    """Answer a case automatically with the answer `found` in our records."""
    facts, by_itself = (
        stored(found.answer),
        replace(now, actor=Actor(ActorKind.JOB, "answer_from_facts")),
    )
    await store.answer(tx, case, found.answer.code, facts, found.digest, now.at)
    message = NewMessage(new_id(), Author.FACTS, MessageKind.ANSWER, "", now.at)
    await store.write(tx, case, message)
    moved = await move(tx, case, CaseEvent.ANSWERED_FROM_FACTS, by_itself)
    answered = replace(
        moved,
        answer=found.answer.code,
        answer_facts=facts,
        facts_sha256=found.digest,
        answered_at=now.at,
    )
    template = "case_answered_from_facts"
    await mail(tx, answered, template, f"{template}:{message.id}", answer=in_both(answered))
    return answered


# -- the person ------------------------------------------------------------------------------------


async def say(tx: Tx, case: Case, words: str, pictures: Sequence[bytes], now: Moment) -> Case:
    """Add a message of the person; a closed case is reopened, once.

    Refuses `CaseOver`, `CaseFull`, `TooManyPictures`.
    """
    event = CaseEvent.REPLIED
    if case.state == CaseState.CLOSED:
        joins = joins_key(case.matter, case.about)
        if case.reopened_at is not None or await store.not_closed(tx, case.account, joins):
            raise CaseOver("the case was already reopened, or another case is open")
        event = CaseEvent.REOPENED
    return await _said(tx, case, words, pictures, now, event)


async def not_answered(tx: Tx, case: Case, words: str, now: Moment) -> Case:
    """Send a case to staff because its answer does not help the person.

    Refuses `CaseFull`, `NotAllowedNow`.
    """
    return await _said(tx, case, words, (), now, CaseEvent.NOT_ANSWERED)


async def _said(
    tx: Tx, case: Case, words: str, pictures: Sequence[bytes], now: Moment, event: CaseEvent
) -> Case:
    if not await _has_room(tx, case):
        raise CaseFull(MESSAGES_OF_PERSON_MAX)
    is_none = event == CaseEvent.NOT_ANSWERED
    kind = MessageKind.NOT_ANSWERED if is_none else MessageKind.REPLY
    moved = await move(tx, case, event, now)
    await store.write(tx, case, NewMessage(new_id(), Author.PERSON, kind, words, now.at))
    await keep_pictures(tx, case, pictures, now.at)
    return moved


async def accept(tx: Tx, case: Case, now: Moment) -> Case:
    """Close a case that the person accepts as answered.  Refuses `NotAllowedNow`."""
    return await move(tx, case, CaseEvent.ACCEPTED, now, CaseOutcome.ACCEPTED)


# -- staff -----------------------------------------------------------------------------------------


async def own(tx: Tx, case: Case, staff: UUID, now: Moment) -> None:
    """Assign a case to a member of staff."""
    await store.own(tx, case, staff)
    actor = now.actor
    subject = show(CASE_KIND, case.id)
    await trail.record(tx, case.account, actor=actor, action="case_owned", subject=subject)


async def write_as_staff(
    tx: Tx, case: Case, words: str, staff: UUID, now: Moment, event: CaseEvent,
    outcome: CaseOutcome | None = None,
) -> Case:  # fmt: skip
    """Answer a case, ask its person or close it, as staff; a case without an owner is assigned to the writer.

    Refuses `NotAllowedNow`, `CaseFull`.
    """
    counted = await store.counted(tx, case)
    # Closing is always possible: a full case would otherwise never end.
    if counted.messages >= MESSAGES_MAX and event != CaseEvent.CLOSED:
        raise CaseFull(MESSAGES_MAX)
    if case.owner is None:
        await own(tx, case, staff, now)
    moved = await move(tx, case, event, now, outcome)
    kind = _KINDS[event]
    message = NewMessage(new_id(), Author.STAFF, kind, words, now.at, staff)
    await store.write(tx, case, message)
    template = _MAILS[event]
    facts: dict[str, Mapping[str, str]] = {}
    if outcome is not None:
        facts["outcome"] = {one: translate(f"outcome.{outcome}", one) for one in LANGUAGES}
    if moved.closes_at is not None:
        closes = moved.closes_at
        facts["until"] = {one: format_datetime(closes, one) for one in LANGUAGES}
    await mail(tx, moved, template, f"{template}:{message.id}", words=words, **facts)
    return moved


_KINDS = {
    CaseEvent.ANSWERED: MessageKind.ANSWER,
    CaseEvent.ASKED: MessageKind.QUESTION,
    CaseEvent.CLOSED: MessageKind.CLOSING,
}
_MAILS = {
    CaseEvent.ANSWERED: "case_answered",
    CaseEvent.ASKED: "case_asked",
    CaseEvent.CLOSED: "case_closed",
}


# -- automatic -------------------------------------------------------------------------------------


async def money_is_back(tx: Tx, case: Case, found: DigestedAnswer, now: Moment) -> None:
    """Answer that all money of the order is returned, and close the case."""
    facts = stored(found.answer)
    await store.answer(tx, case, found.answer.code, facts, found.digest, now.at)
    message = NewMessage(new_id(), Author.FACTS, MessageKind.ANSWER, "", now.at)
    await store.write(tx, case, message)
    moved = await move(tx, case, CaseEvent.MONEY_BACK, now, CaseOutcome.MONEY_BACK)
    told = replace(moved, answer=found.answer.code, answer_facts=facts)
    outcome = {one: translate(f"outcome.{CaseOutcome.MONEY_BACK}", one) for one in LANGUAGES}
    cause = f"case_closed:{message.id}"
    await mail(tx, told, "case_closed", cause, words=in_both(told), outcome=outcome)


async def mail(
    tx: Tx, case: Case, template: str, cause: str, /, **facts: str | Mapping[str, str]
) -> None:
    """Queue a mail about a case to its account, or to the address typed without sign-in."""
    email, language = case.contact, case.language
    try:
        contact = await accounts.contact(tx, case.account)
        email, language = contact.email, contact.language
    except NotFound:
        pass  # sent without sign-in
    if email:
        matter = {one: translate(f"matter.{case.matter}", one) for one in LANGUAGES}
        shown = show(CASE_KIND, case.id)
        told: dict[str, object] = {"case": shown, "matter": matter, **facts}
        await notifications.queue_to(tx, case.account, email, language, cause, template, told)
