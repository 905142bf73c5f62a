"""Headline and sentences at the head of an order's page: its state now and the next step; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta

from meterai.ledger import MoneyMove
from meterai.orders import OrderKind, OrderState, OrderView
from meterai.payments import (
    AccountNumber,
    AttemptState,
    Credit,
    Deposit,
    PaymentMethod,
    Redirect,
    Stage,
    Way,
)
from meterai.refunds import RefundCause, RefundState, RefundView
from meterai.stamping import Stamping, StampingState, StampingView
from meterai.stamps import Lot

# Usual maximum time until a QR exists; a slower bank has a problem.
QR_USUALLY_WITHIN = timedelta(seconds=20)
# Reasons of ledger entries, cause before effect: the order of entries that one transaction wrote.
_CAUSES = (
    "payment_captured",
    "stamps_issued",
    "stamps_affixed",
    "payment_denied",
    "payment_given_back",
    "chargeback_won",
    "refund_reversed",
    "stamps_returned",
    "stamps_recovered",
    "loss_recovered",
    "refund_void",
    "refund_rerouted",
    "refund_requested",
    "refund_settled",
    "transfer_returned",
    "compensation_due",
    "compensation_paid",
)
# Attempt states in which the buyer can pay or soon can.  In any other state a new attempt begins
# soon, or the order has had the maximum number of attempts.
_ASKED_FOR = (AttemptState.OPENING, AttemptState.WAITING)
_UNUSED = (RefundCause.SHORT, RefundCause.EXCESS, RefundCause.DOUBLE, RefundCause.LATE)
_OVER = (
    OrderState.LAPSED,
    OrderState.WITHDRAWN,
    OrderState.RETURNING,
    OrderState.RETURNED,
    OrderState.CHARGED_BACK,
)


@dataclass(frozen=True, slots=True)
class OrderText:
    """Headline and following sentences as message keys, and the facts that fill both."""

    headline: str
    leads: tuple[str, ...]
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderNow:
    """An order with the facts that its page needs; `lot` are the stamps issued for it."""

    order: OrderView
    now: datetime
    documents: Sequence[Stamping] = ()
    refunds: Sequence[RefundView] = ()
    _: KW_ONLY
    lot: Lot | None
    is_issuing: bool  # true if a paid order gets its stamps at once
    is_covered: bool  # true if one payment covers it, with consequences not yet written
    ways: Sequence[PaymentMethod] = ()  # payment methods available now

    @property
    def is_time_over(self) -> bool:
        """True after the time to pay has ended and before the order is marked as lapsed."""
        is_placed = self.order.state == OrderState.PLACED
        return is_placed and self.order.payment.expires_at <= self.now

    @property
    def came_to(self) -> str:
        """Return where the money of an order is that did not become stamps: `goes` (all is on its way back), `back`
        (all was returned), `taken` (all was charged back by the payer's bank) or `places` (in several of these places).
        """
        money = self.order.money
        if money.captured == money.in_flight:
            return "goes"
        if money.captured == money.refunded and not money.charged_back:
            return "back"
        is_taken = money.captured == money.charged_back and not (money.refunded or money.in_flight)
        return "taken" if is_taken else "places"

    @property
    def stayed(self) -> int:
        """Rupiah captured for the order, less refunds of money that the order did not use: payments that were too small, double
        or too late, and the excess of payments that were too large.
        """
        back = sum(
            one.amount
            for one in self.refunds
            if one.cause in _UNUSED and one.state != RefundState.VOID
        )
        return self.order.money.captured - back

    @property
    def is_refused(self) -> bool:
        """True if the money of the order is being returned and the bank refused to send a refund."""
        is_returning = self.order.state == OrderState.RETURNING
        return is_returning and any(one.state == RefundState.REFUSED for one in self.refunds)

    @property
    def hindrance(self) -> str:
        """Return the key of the reason why a refund of the order is blocked; empty if no refund is blocked.

        `account_wanted` means that the buyer must enter a bank account, another `account_...` is the state of the entered
        account, and `refund_refused` means that the bank refused to send the refund.
        """
        for one in self.refunds:
            if one.stage == Stage.WAITING_FOR_ACCOUNT:
                return f"account_{one.account.state}" if one.account else "account_wanted"
        return "refund_refused" if self.is_refused else ""

    @property
    def account(self) -> str:
        """The bank account to which refunds go; empty if no refund has a bank account, or if they have different ones."""
        found = {one.account.shown for one in self.refunds if one.account}
        return found.pop() if len(found) == 1 else ""

    @property
    def ways_back(self) -> set[str]:
        """The routes by which refunds of the order go or went back, such as `provider` or `transfer`; void and rerouted refunds
        are left out.
        """
        gone = (Stage.VOID, Stage.REROUTED)
        return {one.way_word for one in self.refunds if one.stage not in gone}

    @property
    def is_soon(self) -> bool:
        """True for `QR_USUALLY_WITHIN` after the order was placed: the provider may not have sent instructions to pay yet."""
        return self.now < self.order.placed_at + QR_USUALLY_WITHIN

    @property
    def is_payable(self) -> bool:
        """True if the buyer can pay now: the attempt has not expired, and no payment covers the order."""
        return self.order.payment.expires_at > self.now and not self.is_covered

    @property
    def qr_content(self) -> str | None:
        """Content of the QR with which the buyer can pay now; None without such a QR."""
        return self.order.payment.qr_content if self.is_payable else None

    @property
    def instructions(self) -> AccountNumber | Redirect | None:
        """Instructions to pay now without a QR; None without such instructions, or if their page has no https URL."""
        match self.order.payment.instructions:
            case AccountNumber() as number if self.is_payable:
                return number
            case Redirect(url) as page if self.is_payable and url.startswith("https://"):
                return page
        return None

    @property
    def waits_for_seller(self) -> bool:
        """True if the deposit of a seller pays the order, so that the buyer does not have to pay."""
        return self.is_payable and isinstance(self.order.payment.instructions, Deposit)

    @property
    def other_ways(self) -> Sequence[PaymentMethod]:
        """Other payment methods for an unpaid order; the current method is one of them if its attempt to pay is over."""
        payment = self.order.payment
        if self.state != OrderState.PLACED or isinstance(payment.instructions, Credit):
            return ()
        is_open = payment.state in _ASKED_FOR
        return [one for one in self.ways if not is_open or one.name != payment.method]

    @property
    def is_arrived(self) -> bool:
        """True if a payment covers the order and its consequences are not written yet."""
        is_open = self.order.state in (OrderState.PLACED, OrderState.LAPSED)
        return is_open and self.is_covered

    @property
    def state(self) -> OrderState:
        """State of the order to show on every page. An order is shown as paid or lapsed as soon as that is known, even before
        its row in the database says so.
        """
        if self.is_arrived:
            return OrderState.PAID
        return OrderState.LAPSED if self.is_time_over else OrderState(self.order.state)

    @property
    def is_on_hold(self) -> bool:
        """True if the order is paid and waits because the issuing of stamps is stopped."""
        return self.state == OrderState.PAID and self.lot is None and not self.is_issuing

    @property
    def is_plain(self) -> bool:
        """True if exactly the total was paid once and became stamps, so that the page needs no explanation of money."""
        money = self.order.money
        return (
            self.order.state == OrderState.EXECUTED
            and money.captured == money.executed == self.order.total
            and not (money.refunded or money.charged_back or money.in_flight or money.loss)
            and not self.refunds
        )

    @property
    def unused(self) -> int:
        """Number of stamps of the order that the buyer can still use, or give back for a refund."""
        is_there = (self.order.kind, self.order.state) == (OrderKind.STAMPS, OrderState.EXECUTED)
        return self.lot.free if self.lot and is_there else 0

    @property
    def delivered(self) -> int:
        """Number of documents of the order that are stamped."""
        return sum(one.state == StampingState.DELIVERED for one in self.documents)

    @property
    def has_failed(self) -> bool:
        """True if the order was executed and stamping of a document failed; that document can be sent in another order."""
        is_executed = self.order.state == OrderState.EXECUTED
        return is_executed and any(one.state == StampingState.FAILED for one in self.documents)

    @property
    def changes_at(self) -> datetime | None:
        """Next moment at which the page changes although no row changes, such as the end of the time to pay; None if
        there is no such moment.
        """
        moments = [one.due_at for one in self.refunds]
        if self.order.state == OrderState.PLACED:
            moments += [self.order.payment.expires_at, self.order.placed_at + QR_USUALLY_WITHIN]
        return min((moment for moment in moments if moment > self.now), default=None)

    def state_of(self, stamping: Stamping | StampingView) -> StampingState:
        """Return the state of a document within this order.

        The state is waiting as long as the order can be paid, and while the order is paid but the issuing of stamps is stopped.
        """
        state = StampingState(stamping.state)
        if state != StampingState.WAITING:
            return state
        if self.is_arrived:
            return state if self.is_on_hold else StampingState.RESERVED
        if self.order.state in _OVER:
            return StampingState.DROPPED
        is_unpaid = self.order.state == OrderState.PLACED
        return state if is_unpaid or self.is_on_hold else StampingState.RESERVED


def in_causal_order(moves: Sequence[MoneyMove]) -> list[MoneyMove]:
    """Return the money moves sorted by time; moves of one transaction are sorted cause before effect."""
    rank = {reason: number for number, reason in enumerate(_CAUSES)}
    return sorted(moves, key=lambda one: (one.at, rank.get(one.reason, len(rank))))


def order_text(this: OrderNow) -> OrderText:
    """Return the text at the head of the page of an order."""
    order = this.order
    facts: dict[str, object] = {
        "delivered": this.delivered,
        "documents": len(this.documents),
        "quantity": order.quantity,
        "unused": this.unused,
        "account": this.account,
        "seller": order.seller or "",
    }
    if (order.kind, order.state) == (OrderKind.STAMPS, OrderState.EXECUTED):
        assert this.lot is not None, "an order of stamps is executed when its lot is made"
        counts = _counts(this.lot, this.refunds)
        return OrderText(*_stamps(counts), facts | counts)
    is_placed = order.state == OrderState.PLACED or this.is_arrived
    headline, *leads = _placed(this) if is_placed else _after(this)
    return OrderText(headline, tuple(f"page.order.{lead}" for lead in leads), facts)


def _is_deposit(order: OrderView) -> bool:
    """True for an order that pays into a distributor's deposit and issues no stamp."""
    return order.kind == OrderKind.DEPOSIT


def _placed(this: OrderNow) -> tuple[str, ...]:
    if this.state != OrderState.PLACED:
        return f"state.order.{this.state}", "arrived" if this.is_arrived else "time_over"
    if this.qr_content or this.instructions:
        lead = "placed.elsewhere" if this.instructions else f"placed.{this.order.kind}"
        lead = lead if this.is_issuing or _is_deposit(this.order) else "placed.stopped"
        return "page.order.headline.pay", lead
    if this.waits_for_seller:
        return "page.order.headline.with_seller", "placed.with_seller"
    if isinstance(credit := this.order.payment.instructions, Credit):
        return "page.order.headline.credit", f"credit.{credit.waits_for or 'taken'}"
    word = "opening" if this.order.payment.state in _ASKED_FOR else "no_qr"
    headline = f"page.order.headline.{word}"
    if this.order.money.captured:
        again = "opening_again" if word == "opening" else word
        return headline, "not_paid_yet", f"came.{this.came_to}", again
    if word == "opening":
        word = "opening" if this.is_soon else "opening_late"
    return headline, word


def _after(this: OrderNow) -> tuple[str, ...]:
    order, money = this.order, this.order.money
    state = OrderState(order.state)
    headline = f"state.order.{state}"
    match state:
        case OrderState.PAID:
            is_stopped = this.is_on_hold and not _is_deposit(order)
            return headline, "paid.stopped" if is_stopped else f"paid.{order.kind}"
        case OrderState.EXECUTED if _is_deposit(order):
            return "page.order.headline.deposited", "executed.deposited"
        case OrderState.EXECUTED:
            is_all = this.delivered == len(this.documents)
            word = "stamped" if is_all else "stamped_in_part"
            is_taken = not is_all and money.charged_back
            lead = f"executed.{word}{'.taken_back' if is_taken else ''}"
            return f"page.order.headline.{word}", lead
        case OrderState.LAPSED if money.captured:
            return headline, "lapsed.paid", f"came.{this.came_to}"
        case OrderState.WITHDRAWN if money.captured:
            return headline, f"came.{this.came_to}"
        case OrderState.RETURNING | OrderState.RETURNED:
            return _going_back(this, headline)
        case OrderState.CHARGED_BACK if money.charged_back < this.stayed:
            return headline, "denied.in_part"
        case OrderState.CHARGED_BACK if money.loss:
            return headline, "denied.stamped"
    return headline, state


def _going_back(this: OrderNow, headline: str) -> tuple[str, ...]:
    state = OrderState(this.order.state)
    if state == OrderState.RETURNING and (word := this.hindrance):
        return f"page.order.headline.{word}", f"returning.{word}"
    if state == OrderState.RETURNED and not this.order.money.refunded:
        return headline, "returned.by_the_bank"
    if this.ways_back == {"seller"}:
        return headline, f"{state}.seller"
    if this.ways_back and this.ways_back <= {Way.TRANSFER, "account"}:
        return headline, f"{state}.transfer"
    if this.ways_back - {Way.PROVIDER}:
        return headline, f"{state}.below"
    is_ours = state == OrderState.RETURNING or any(
        one.state == RefundState.SETTLED for one in this.refunds
    )
    return headline, state if is_ours else "returned.by_the_provider"


def _counts(lot: Lot, refunds: Sequence[RefundView]) -> dict[str, int]:
    """Return the number of stamps of an order by state (`unused`, `affixed`, `held`, `given_back`, `taken`); the
    numbers add up to all its stamps.
    """
    given_back = sum(one.stamps for one in refunds if one.cause == RefundCause.ASKED)
    return {
        "unused": lot.free,
        "affixed": lot.affixed,
        "held": lot.held,
        "given_back": given_back,
        # The remaining returned stamps were retired because a bank took the money back or returned it.
        "taken": lot.returned - given_back,
    }


def _stamps(counts: Mapping[str, int]) -> tuple[str, tuple[str, ...]]:
    there = [place for place, count in counts.items() if count]
    if there == ["affixed"]:
        return "page.order.headline.used_up", ("page.order.used_up",)
    word = "none_left"
    if "unused" in there:
        word = "stamps"
    elif "held" in there:
        word = "being_used"
    elif "taken" not in there:
        word = "given_back"
    return f"page.order.headline.{word}", tuple(f"page.order.stamps.{place}" for place in there)
