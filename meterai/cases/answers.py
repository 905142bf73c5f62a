"""Answers to complaints from recorded facts: a rule for each matter; pure.

A rule returns an answer only if the facts about the order answer the matter, with the next step and its time.  Otherwise, or
once the due time of that step has passed, the rule returns None and staff answer.  `answer.<code>` names the answer's sentence.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import msgspec

from meterai.cases.model import Matter
from meterai.kit.ids import show
from meterai.kit.money import Rupiah
from meterai.kit.text import named
from meterai.orders import OrderKind, OrderState, OrderView
from meterai.payments import AttemptState, Captured, Heard, Way
from meterai.refunds import RefundCause, RefundState, RefundView
from meterai.stamping import Stamping, StampingState
from meterai.stamps import Lot
from meterai.suspense import Item

SECOND = (RefundCause.DOUBLE, RefundCause.EXCESS, RefundCause.LATE)
# Attempts that the provider declined: they take no payment.
_DECLINED = AttemptState.DECLINED
_UNPAID = (OrderState.PLACED, OrderState.LAPSED, OrderState.WITHDRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts at a moment about one order, or about one stamping with stamps from the balance of an account.

    `now` is that moment; it is not part of `digest`.
    """

    now: datetime
    order: OrderView | None = None
    payments: Sequence[Captured] = ()
    attempts: Sequence[Heard] = ()
    refunds: Sequence[RefundView] = ()
    stampings: Sequence[Stamping] = ()
    lot: Lot | None = None
    suspended: Sequence[Item] = ()
    is_issuing: bool = True
    is_covered: bool = False  # one captured payment covers the price

    @property
    def digest(self) -> bytes:
        """SHA-256 of all facts except `now`."""
        told = {name: getattr(self, name) for name in self.__slots__ if name != "now"}
        return sha256(msgspec.json.encode(told, order="sorted", enc_hook=str)).digest()

    @property
    def heard_at(self) -> datetime | None:
        """Time of the bank's last answer about any attempt to pay the order; None if the bank has not answered."""
        return max((one.answered_at for one in self.attempts if one.answered_at), default=None)

    @property
    def about(self) -> str:
        """Public id of the order, or else of the stamping, that the facts are about."""
        if self.order is not None:
            return self.order.id
        return show("stg", self.stampings[0].id) if self.stampings else ""


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """An answer that was derived from facts: `code` names its sentence, and `facts` are the values in the sentence, with
    amounts as texts.

    Facts whose name ends in `_at` are times; `serials` are the serials of stamps.
    """

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


Rule = Callable[[Facts], CaseAnswer | None]


def answer(matter: Matter, facts: Facts) -> CaseAnswer | None:
    """Return the answer to a complaint about this matter; None if the facts contain no answer, so that staff must answer."""
    return _RULES[matter](facts)


def is_pertinent(matter: Matter, found: CaseAnswer) -> bool:
    """True if the answer reports a problem that fits the matter of the complaint, so that the complaint is probably about the
    order from whose facts the answer was derived.
    """
    return found.code not in _PLAIN and (matter != Matter.PAID_TWICE or "second" in found.code)


# Answers about an order without a problem.  If the account has several orders, the complaint is about another one.
_PLAIN = frozenset(
    {
        "stamps_ready",
        "stamps_used",
        "documents_stamped",
        "paid_once",
        "not_asked_back",
        "lapsed_unpaid",
        "withdrawn_unpaid",
    }
)


def _rupiah(amount: int) -> str:
    return str(Rupiah(amount))


def _first(facts: Facts, *rules: Rule) -> CaseAnswer | None:
    """Return the answer of the first rule that gives an answer; None if no rule does."""
    return next((found for rule in rules if (found := rule(facts)) is not None), None)


# -- money -----------------------------------------------------------------------------------------


def _suspended(facts: Facts) -> CaseAnswer | None:
    """Answer about a payment that the bank reported and that is not matched with an order yet."""
    for one in facts.suspended:
        if one.due_at > facts.now:
            return CaseAnswer("looked_at", {"due_at": one.due_at})
    return None


def _is_contested(facts: Facts) -> bool:
    """True if a payment of the order is in suspense (not matched yet), so that the other facts are incomplete."""
    return bool(facts.suspended)


def _refund(facts: Facts, one: RefundView, second: str = "") -> CaseAnswer | None:
    told: dict[str, object] = {
        "amount": _rupiah(one.amount),
        "number": one.refund_number,
        "cause": one.cause,
        "due_at": one.due_at,
    }
    match RefundState(one.state):
        case _ if one.way != Way.PROVIDER:
            return None  # the sentences of answers say that money returns to the payment's source
        case RefundState.SETTLED:
            assert one.settled_at is not None, "a settled refund has its time"
            told |= {"settled_at": one.settled_at, "bank_number": one.provider_refund_number}
            return CaseAnswer(f"refund_settled{second}", told)
        case RefundState.VOID:
            return CaseAnswer(f"refund_void{second}", told)
        case _ if one.due_at <= facts.now:
            return None
        case RefundState.REFUSED:
            return CaseAnswer(f"refund_declined{second}", told)
        case _:
            told["requested_at"] = one.requested_at
            return CaseAnswer(f"refund_on_its_way{second}", told)


def _last_refund(facts: Facts) -> CaseAnswer | None:
    """Answer about the open refund or, if none is open, about the newest refund."""
    wanted = sorted(facts.refunds, key=lambda one: (_is_open(one), one.requested_at))
    return _refund(facts, wanted[-1]) if wanted else None


def _is_open(one: RefundView) -> bool:
    return one.state not in (RefundState.SETTLED, RefundState.VOID)


def _second(facts: Facts) -> CaseAnswer | None:
    """Answer about the refund of money that the order did not need: a second payment, or a part of a payment."""
    found = [one for one in facts.refunds if one.cause in SECOND]
    wanted = sorted(found, key=lambda one: (_is_open(one), one.requested_at))
    return _refund(facts, wanted[-1], "_second") if wanted else None


def _paid_once(facts: Facts) -> CaseAnswer | None:
    if len(facts.payments) != 1:
        return None
    [one] = facts.payments
    return CaseAnswer("paid_once", {"amount": _rupiah(one.amount.value), "paid_at": one.at})


def _taken_back(facts: Facts) -> CaseAnswer | None:
    order = facts.order
    if order is None or not order.money.charged_back:
        return None
    is_all = order.state in (OrderState.CHARGED_BACK, OrderState.RETURNED)
    taken = _rupiah(order.money.charged_back)
    return CaseAnswer("taken_back", {"amount": taken}) if is_all else None


def _in_flight(facts: Facts) -> CaseAnswer | None:
    order = facts.order
    if order is None:
        return None
    # The time between a payment and the execution of its order; a payment of a withdrawn order goes back instead.
    is_open = order.state in (OrderState.PLACED, OrderState.LAPSED)
    is_arrived = is_open and facts.is_covered and not facts.refunds
    if order.state != OrderState.PAID and not is_arrived:
        return None
    due_at = order.refund_due_at
    if due_at is None or due_at <= facts.now:
        return None
    code = "in_flight" if facts.is_issuing else "in_flight_stopped"
    amount = order.money.in_flight or order.money.captured
    paid_at = order.paid_at or (facts.payments[-1].at if facts.payments else facts.now)
    return CaseAnswer(code, {"amount": _rupiah(amount), "paid_at": paid_at, "due_at": due_at})


def _unpaid(facts: Facts) -> CaseAnswer | None:
    """Answer that no payment came; given only if the bank has answered our query, or has declined the payment."""
    order = facts.order
    if order is None or order.state not in _UNPAID or order.money.captured or facts.is_covered:
        return None
    asked_at = facts.heard_at
    told = {"amount": _rupiah(order.total)}
    if order.state == OrderState.PLACED and order.payment.expires_at > facts.now:
        told_until = {**told, "expires_at": order.payment.expires_at}
        if any(one.state == _DECLINED for one in facts.attempts):
            return CaseAnswer("declined", told_until)
        return CaseAnswer("not_paid", {**told_until, "asked_at": asked_at}) if asked_at else None
    if asked_at is None:
        return None
    word = "withdrawn_unpaid" if order.state == OrderState.WITHDRAWN else "lapsed_unpaid"
    return CaseAnswer(word, {**told, "asked_at": asked_at})


def _came_back(facts: Facts) -> CaseAnswer | None:
    """Answer about money that goes back to the buyer: a late or short payment, a refund that the buyer requested, or a
    chargeback.
    """
    order = facts.order
    if order is None or order.state == OrderState.EXECUTED:
        return None
    if facts.refunds:
        return _last_refund(facts)
    return _taken_back(facts) or _given_back(facts)


def _given_back(facts: Facts) -> CaseAnswer | None:
    """Answer that the provider returned the money without a refund requested by us."""
    order = facts.order
    if order is None or order.state != OrderState.RETURNED or not order.money.refunded:
        return None
    return CaseAnswer("given_back", {"amount": _rupiah(order.money.refunded)})


def _money(facts: Facts) -> CaseAnswer | None:
    """Answer about the money of an order in any state; for a stamping with stamps from the balance, about its document."""
    if facts.order is None:
        return _document(facts)
    if _is_contested(facts):
        return _suspended(facts)
    return _first(facts, _in_flight, _came_back, _executed, _unpaid)


# -- stamps and documents --------------------------------------------------------------------------


def _executed(facts: Facts) -> CaseAnswer | None:
    order = facts.order
    if order is None or order.state != OrderState.EXECUTED:
        return None
    if order.kind == OrderKind.STAMPS:
        return _counted(facts)
    delivered = [one for one in facts.stampings if one.state == StampingState.DELIVERED]
    kept = [one.kept_until for one in delivered if _is_ready(one)]
    if len(delivered) < len(facts.stampings) or not kept:
        return _document(facts)
    told = {"count": len(delivered), "paid_at": order.paid_at}
    return CaseAnswer("documents_stamped", {**told, "until_at": min(kept)})


def _counted(facts: Facts) -> CaseAnswer | None:
    """Answer with the numbers of an order's stamps: unused, affixed, held and returned."""
    order, lot = facts.order, facts.lot
    if order is None or lot is None or order.kind != OrderKind.STAMPS:
        return None
    told = {
        "quantity": lot.issued,
        "unused": lot.free,
        "affixed": lot.affixed,
        "held": lot.held,
        "returned": lot.returned,
        "paid_at": order.paid_at,
    }
    return CaseAnswer("stamps_ready" if lot.free else "stamps_used", told)


def _not_asked_back(facts: Facts) -> CaseAnswer | None:
    order, lot = facts.order, facts.lot
    if order is None or lot is None or facts.refunds or order.state != OrderState.EXECUTED:
        return None
    if order.kind != OrderKind.STAMPS or not lot.free:
        return None
    back = lot.free * (order.unit_price + order.service_fee)
    return CaseAnswer("not_asked_back", {"unused": lot.free, "amount": _rupiah(back)})


# If the documents have several of these states, the answer is about the first state in this order.
_TROUBLED = (
    StampingState.FAILED,
    StampingState.RESERVED,
    StampingState.WAITING,
    StampingState.DELIVERED,
    StampingState.DROPPED,
)


def _document(facts: Facts) -> CaseAnswer | None:
    """Answer about the document with the worst state; if it is not ready, also with the number of ready documents."""
    if not facts.stampings:
        return None
    one = min(facts.stampings, key=lambda one: _TROUBLED.index(one.state))
    match one.state:
        case StampingState.FAILED:
            found = _failed(facts, one)
        case StampingState.RESERVED if one.due_at and one.due_at > facts.now:
            found = CaseAnswer("stamping_under_way", {**_named(one), "due_at": one.due_at})
        case StampingState.DELIVERED:
            return _ready(one)
        case _:
            return None
    kept = [one.kept_until for one in facts.stampings if _is_ready(one)]
    if found is None or not kept:
        return found
    return CaseAnswer(found.code, {**found.facts, "ready": len(kept), "ready_until_at": min(kept)})


def _is_ready(one: Stamping) -> bool:
    """True if the stamped document can be downloaded."""
    return one.state == StampingState.DELIVERED and not one.is_forgotten


def _named(one: Stamping) -> dict[str, object]:
    return {"document": named(one.document_name), "stamping": show("stg", one.id)}


def _failed(facts: Facts, one: Stamping) -> CaseAnswer | None:
    """Answer about a document that was not stamped: its stamps are in the balance again, or their money is refunded."""
    told = {**_named(one), "reason": one.refused or ""}
    if one.order is None:
        return CaseAnswer("stamping_failed", told)
    unstamped = [two for two in facts.refunds if two.cause == RefundCause.NOT_STAMPED]
    found = sorted(unstamped, key=lambda two: (_is_open(two), two.requested_at))
    money = _refund(facts, found[-1]) if found else None
    if money is None or money.code == "refund_void":
        return None
    return CaseAnswer(f"stamping_failed_{money.code}", {**money.facts, **told})


def _ready(one: Stamping) -> CaseAnswer | None:
    assert one.delivered_at is not None, "a delivered stamping has its time"
    told = {**_named(one), "serials": list(one.serials), "delivered_at": one.delivered_at}
    if one.is_forgotten:
        return CaseAnswer("document_forgotten", told)
    return CaseAnswer("document_ready", {**told, "until_at": one.kept_until})


def _delivered(facts: Facts) -> Stamping | None:
    """Return the newest stamped document whose file is still stored.

    If no file is stored, return the newest stamped document; None if the facts have none.
    """
    found = [one for one in facts.stampings if one.state == StampingState.DELIVERED]
    return max(found, key=lambda one: (not one.is_forgotten, one.id), default=None)


def _file(facts: Facts) -> CaseAnswer | None:
    one = _delivered(facts)
    return _ready(one) if one else None


def _again(facts: Facts) -> CaseAnswer | None:
    """Answer about a file that the person cannot open: the stored file can be downloaded again and compared by its SHA-256."""
    one = _delivered(facts)
    if one is None or one.is_forgotten or one.sha256_stamped is None:
        return None
    told = {**_named(one), "sha256": one.sha256_stamped.hex(), "until_at": one.kept_until}
    return CaseAnswer("download_again", told)


def _holds(facts: Facts) -> CaseAnswer | None:
    """Answer about a stamp that an agency rejects: it is affixed, and anybody can verify it."""
    one = _delivered(facts)
    if one is None or one.delivered_at is None or one.sha256_stamped is None:
        return None
    told = {**_named(one), "serials": list(one.serials), "delivered_at": one.delivered_at}
    return CaseAnswer("stamp_holds", {**told, "sha256": one.sha256_stamped.hex()})


# -- matters ---------------------------------------------------------------------------------------


def _paid_twice(facts: Facts) -> CaseAnswer | None:
    if _is_contested(facts):
        return _suspended(facts)
    return _first(facts, _second, _paid_once, _unpaid)


def _refund_where(facts: Facts) -> CaseAnswer | None:
    if _is_contested(facts):
        return _suspended(facts)
    if facts.refunds:
        return _last_refund(facts)
    return _first(facts, _in_flight, _taken_back, _not_asked_back, _unpaid)


def _stamp_missing(facts: Facts) -> CaseAnswer | None:
    is_waiting = any(one.state == StampingState.WAITING for one in facts.stampings)
    if facts.order is not None and (is_waiting or not facts.stampings):
        return _money(facts)
    dropped = all(one.state == StampingState.DROPPED for one in facts.stampings)
    return _money(facts) if dropped else _document(facts)


def _quota_lost(facts: Facts) -> CaseAnswer | None:
    if facts.order is not None and facts.order.state == OrderState.EXECUTED:
        return _first(facts, _counted, _document)
    return _money(facts)


def _file_missing(facts: Facts) -> CaseAnswer | None:
    ended = (StampingState.DELIVERED, StampingState.DROPPED)
    is_done = all(one.state in ended for one in facts.stampings)
    return _first(facts, _file, _stamp_missing) if is_done else _stamp_missing(facts)


def _cannot_open(facts: Facts) -> CaseAnswer | None:
    return _first(facts, _again, _file)


def _never(_facts: Facts) -> CaseAnswer | None:
    """Answer nothing: the matter is described only in the person's words, so staff answer."""
    return None


_RULES: Mapping[Matter, Rule] = {
    Matter.PAID_NOT_EXECUTED: _money,
    Matter.STATUS_SAYS_FAILED: _money,
    Matter.PAID_TWICE: _paid_twice,
    Matter.STAMP_MISSING: _stamp_missing,
    Matter.QUOTA_LOST: _quota_lost,
    Matter.REFUND_WHERE: _refund_where,
    Matter.FILE_MISSING: _file_missing,
    Matter.CANNOT_OPEN: _cannot_open,
    Matter.INVALID_AT_AGENCY: _holds,
    Matter.SOMETHING_ELSE: _never,
}
