"""Refunds and account claims for staff and complaints: search by number, timelines, work lists."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from meterai import ledger, notifications, payments, trail
from meterai.accounts import Permission
from meterai.kit.ids import read_typed, show
from meterai.kit.paging import WHOLE
from meterai.kit.refusal import Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem, account_subject
from meterai.kit.text import isolated
from meterai.ledger import MoneyMove
from meterai.payments import REFUND_PREFIX, Refund, RefundCause, RefundState, Way
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.refunds import store
from meterai.refunds.model import (
    ACCOUNT_CLAIM_SUBJECT,
    CLAIM_KIND,
    REFUND_SUBJECT,
    AccountClaim,
    AccountClaimState,
)
from meterai.room import Knows, WorkList

NUMBER_LENGTH_MAX = 100  # characters of a refund's number at a provider
REFUNDS_TOLD_MAX = 50  # newest refunds on the timeline of an account
_OF_STAFF = ("staff:", "operator:")  # prefixes of actors who request a refund for an account
_ASKED = Sentence("trail.refund_asked", {})
_MAILED = ("refund_requested", "refund_settled")  # causes of mails of refunds
_OPEN = (RefundState.REQUESTED, RefundState.SENT, RefundState.ACCEPTED, RefundState.REFUSED)
LOOKED_AT_WITHIN = timedelta(days=1)  # due time of an account that waits for a person


def subject(one: Refund) -> Subject:
    """Return the `Subject` by which the staff console refers to a refund."""
    return Subject(REFUND_SUBJECT.kind, show("rfd", one.id), one.account)


async def find(tx: ReadTx, text: str, limit: int) -> Sequence[Subject]:
    """Find refunds by id, by our number or by the provider's number, and account claims by id."""
    if (refund_id := read_typed("rfd", text)) is not None:
        return [subject(one) for one in await payments.refunds_by_id(tx, refund_id)]
    if (claim_id := read_typed(CLAIM_KIND, text)) is not None:
        return [one.subject for one in await store.account_claims_by_id(tx, claim_id)]
    if (ours := payments.parse_number(REFUND_PREFIX, text)) is not None:
        found = await payments.refund(tx, *ours)
        return [subject(found)] if found else ()
    if len(text) > NUMBER_LENGTH_MAX:
        return ()
    return [subject(one) for one in await payments.refunds_by_provider_number(tx, text, limit)]


async def tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    """The timeline of a refund, of the refunds of an order, of the newest refunds of an account, or of an account claim."""
    if about.account is None:
        return ()
    if about.kind == SubjectKind.ORDER and (order := read_typed("ord", about.shown)):
        moves = await ledger.money_moves(tx, about.account, order)
        found = await payments.refunds_of_subject(tx, about.account, order)
        staff = await _asked_by_staff(tx, found)
        told = [one for refund in found for one in _told(refund, moves, subject(refund), staff)]
        return told + await _mails(tx, found)
    if about.kind == REFUND_SUBJECT.kind and (refund_id := read_typed("rfd", about.shown)):
        this = await payments.refund(tx, about.account, refund_id)
        if this is None:
            return ()
        moves = await ledger.money_moves(tx, about.account, this.subject)
        of = Subject(SubjectKind.ORDER, show("ord", this.subject), this.account)
        staff = await _asked_by_staff(tx, [this])
        return [*_told(this, moves, of, staff), *await _mails(tx, [this])]
    if about.kind == ACCOUNT_CLAIM_SUBJECT.kind and (
        claim_id := read_typed(CLAIM_KIND, about.shown)
    ):
        claim = await store.account_claim(tx, about.account, claim_id)
        return _claimed(claim) if claim else ()
    if about.kind == SubjectKind.ACCOUNT:
        newest = await payments.refunds_of_account(
            tx, about.account, WHOLE.before, REFUNDS_TOLD_MAX
        )
        staff = await _asked_by_staff(tx, newest)
        return [_begun(one, subject(one), staff) for one in newest]
    return ()


async def _asked_by_staff(tx: ReadTx, found: Sequence[Refund]) -> frozenset[UUID]:
    """Ids of the refunds in `found` that staff requested on behalf of the account, according to the audit trail."""
    asked = [one for one in found if one.cause == RefundCause.ASKED]
    moments = {
        (order, line.at)
        for order in {one.subject for one in asked}
        for line in await trail.trail_of(
            tx, show("ord", order), Subject(SubjectKind.ORDER, show("ord", order), found[0].account)
        )
        if line.actor.startswith(_OF_STAFF) and line.facts["act"] == _ASKED
    }
    return frozenset(one.id for one in asked if (one.subject, one.requested_at) in moments)


async def _mails(tx: ReadTx, found: Sequence[Refund]) -> list[Happening]:
    """Timeline events for the mails about these refunds, which all belong to one account."""
    if not found:
        return []
    causes = [f"{cause}:{one.id}" for one in found for cause in _MAILED]
    return await notifications.mails_told(tx, found[0].account, causes)


def _facts(one: Refund, staff: Collection[UUID]) -> dict[str, object]:
    cause = f"{one.cause}_by_staff" if one.id in staff else one.cause
    return {
        "amount": one.amount,
        "cause": Sentence(f"refund.cause.{cause}", {}),
        "stage": Sentence(f"stage.refund.{payments.stage_of(one)}", {}),
        "way": Sentence(f"way.refund.{one.way}", {}),
        "number": one.number,
        "there": one.provider_number,
        "answer": one.last_answer,
        "tries": one.tries,
        "due_at": one.due_at,
        "refund": show("rfd", one.id),
    }


def _begun(one: Refund, about: Subject, staff: Collection[UUID]) -> Happening:
    return Happening(one.requested_at, "refund_begun", _facts(one, staff), about)


def _told(
    one: Refund, moves: Sequence[MoneyMove], about: Subject, staff: Collection[UUID]
) -> Iterator[Happening]:
    facts = _facts(one, staff)
    yield _begun(one, about, staff)
    if one.tried_at is not None:
        is_declined = one.state == RefundState.REFUSED
        yield Happening(one.tried_at, "refund_sent", facts, about)
        if is_declined or (one.last_answer and one.state in _OPEN):
            word = "refund_declined" if is_declined else "refund_unanswered"
            yield Happening(one.tried_at, word, facts, about, for_staff=not is_declined)
    if one.wanted_at is not None:
        yield Happening(one.wanted_at, "refund_wants_account", facts, about)
    if one.settled_at is not None:
        word = "refund_transferred" if one.way is Way.TRANSFER else "refund_settled"
        yield Happening(one.settled_at, word, facts, about)
    if one.recorded_at is not None and one.settled_at is not None:
        yield Happening(max(one.recorded_at, one.settled_at), "refund_recorded", facts, about)
    yield from _moved(one, moves, about, facts)


def _moved(
    one: Refund, moves: Sequence[MoneyMove], about: Subject, facts: dict[str, object]
) -> Iterator[Happening]:
    """Timeline events for the ledger entries about a refund that follow its beginning: stopped, rerouted, reversed,
    compensated.
    """
    words = {
        f"void:{one.id}": "refund_void",
        f"rerouted:{one.id}": "refund_rerouted",
        f"reversed:{one.id}:": "refund_reversed",
        f"compensation:{one.id}:": "refund_compensated",
    }
    for move in moves:
        begin = move.entry if move.entry in words else move.entry.rpartition(":")[0] + ":"
        if word := words.get(begin):
            yield Happening(move.at, word, {**facts, "back": move.rupiah}, about)


def _claimed(claim: AccountClaim) -> Sequence[Happening]:
    """The timeline of an account claim."""
    facts = {
        "bank": claim.bank,
        "account": claim.account_no,
        "typed": isolated(claim.typed),
        "stage": Sentence(f"stage.account_claim.{claim.state}", {}),
    }
    about = account_subject(claim.account)
    told = [Happening(claim.asked_at, "account_typed", facts, about, begins=True)]
    if claim.decided_at is not None:
        # Only staff see that an account has another holder, and the name.
        is_others = claim.state in (AccountClaimState.UNKNOWN, AccountClaimState.OTHER)
        told.append(
            Happening(claim.decided_at, "account_decided", facts, about, for_staff=is_others)
        )
        if claim.confirmed:
            facts = facts | {"confirmed": isolated(claim.confirmed)}
            told.append(
                Happening(claim.decided_at, "account_holder_told", facts, about, for_staff=True)
            )
    return told


async def _waiting(tx: ReadTx, _: Settings, _now: datetime, limit: int) -> Sequence[WorkItem]:
    """Open refunds by due time, with the rail of each."""
    found = await payments.open_refunds(tx, limit)
    routes = await payments.routes_of(tx, [(one.account, one.attempt) for one in found])
    by_attempt = {(one.account, one.attempt): one.route for one in routes}
    return [
        WorkItem(
            subject(one),
            one.requested_at,
            one.due_at,
            _facts(one, ()) | {"route": by_attempt.get((one.account, one.attempt))},
        )
        for one in found
    ]


async def _held(tx: ReadTx, _: Settings, _now: datetime, limit: int) -> Sequence[WorkItem]:
    """Account claims that wait for a decision by staff, with the reason."""
    return [
        WorkItem(
            claim.subject,
            claim.asked_at,
            claim.asked_at + LOOKED_AT_WITHIN,
            {"bank": claim.bank, "why": Sentence(f"held_for.{claim.held_for}", {})},
        )
        for claim in await store.held_account_claims(tx, limit)
    ]


KNOWS = Knows(find=find, tell=tell)
WORK = (
    WorkList(name="refunds", permission=Permission.CONSOLE_READ, waiting=_waiting),
    WorkList(name="account_claims", permission=Permission.CONSOLE_READ, waiting=_held),
)
