"""Payments in the console and in complaints: search by a bank's number or by our reference, and the timeline of an order."""

from collections.abc import Iterator, Sequence

from meterai import ledger, suspense
from meterai.kit.ids import read_typed, show
from meterai.kit.refusal import Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind
from meterai.payments import store
from meterai.payments.model import REFERENCE_PREFIX, AttemptTold, CapturedTold, parse_number
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows

NUMBER_LENGTH_MAX = 100  # characters of a provider's number
# Reasons of ledger entries about payments that were taken back or restored, with the event on the timeline for each.
_BOOKED = {
    "payment_denied": "payment_charged_back",
    "payment_given_back": "payment_given_back",
    "chargeback_won": "payment_won",
}


async def find(tx: ReadTx, text: str, limit: int) -> Sequence[Subject]:
    """Find orders by our reference, or by the provider's number of a payment or its instructions."""
    if (ours := parse_number(REFERENCE_PREFIX, text.upper())) is not None:
        attempt = await store.attempt(tx, *ours)
        wanted = [(attempt.account, attempt.subject)] if attempt else []
    elif len(text) <= NUMBER_LENGTH_MAX:
        wanted = await store.subjects_by_number(tx, text, limit)
    else:
        return ()
    return [
        Subject(SubjectKind.ORDER, show("ord", subject), account) for account, subject in wanted
    ]


async def tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    """The timeline of an order: its attempts, payments, chargebacks and items in suspense."""
    subject = read_typed("ord", about.shown) if about.kind == SubjectKind.ORDER else None
    if about.account is None or subject is None:
        return ()
    attempts = await store.attempts_told(tx, about.account, subject)
    captures = await store.captures_told(tx, about.account, subject)
    told = [one for attempt in attempts for one in _attempt(attempt)]
    told += [one for capture in captures for one in _captured(capture, captures)]
    for move in await ledger.money_moves(tx, about.account, subject):
        if move.reason in _BOOKED:
            told.append(Happening(move.at, _BOOKED[move.reason], {"amount": move.rupiah}))
    for item in await suspense.items_of(tx, [one.reference for one in attempts]):
        told += suspense.told(item, Subject(SubjectKind.SUSPENSE, show("sus", item.id)))
    return told


def _attempt(one: AttemptTold) -> Iterator[Happening]:
    facts = {
        "amount": one.amount,
        "reference": one.reference,
        "expires_at": one.expires_at,
        "number": one.provider_reference,
        "answer": one.last_answer,
        "times": one.asked,
    }
    yield Happening(one.opened_at, "payment_begun", facts, for_staff=True)
    if one.instructed_at is not None:
        yield Happening(one.instructed_at, "payment_instructed", facts)
    if one.buyer_asked_at is not None:
        yield Happening(one.buyer_asked_at, "payment_asked_by_buyer", facts)
    if one.answered_at is not None:
        yield Happening(one.answered_at, "payment_answered", facts, for_staff=True)


def _captured(one: CapturedTold, every: Sequence[CapturedTold]) -> Iterator[Happening]:
    facts = {
        "amount": one.amount,
        "wanted": one.wanted,
        "number": one.number,
        "method": one.method.upper(),
        "learned": Sentence(f"payment.learned.{one.learned_by}", {}),
    }
    yield Happening(one.captured_at, _word(one, every), facts)
    yield Happening(one.captured_at, "payment_learned", facts, for_staff=True)
    if one.confirmed_at is not None and one.confirmed_at > one.captured_at:
        yield Happening(one.confirmed_at, "payment_confirmed", facts, for_staff=True)


def _word(one: CapturedTold, every: Sequence[CapturedTold]) -> str:
    """The name of the timeline event for a payment (`one`): a payment that is less than the total, a second payment, or a
    normal one.

    A payment that came after its order expired counts as normal; the timeline shows its refund.
    """
    if one.amount < one.wanted:
        return "payment_captured_short"
    is_second = any(other is not one and other.covers(one.captured_at) for other in every)
    return "payment_captured_again" if is_second else "payment_captured"


KNOWS = Knows(find=find, tell=tell)
