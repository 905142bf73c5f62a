"""Every invariant of `meterai audit` holds after any sequence of acts."""

from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.shop import BankRecord, Paid, Shop

WHICH = st.integers(min_value=0, max_value=7)
MORE = st.sampled_from([0, 0, 0, -1, 700])  # than the total, in rupiah
PART = st.sampled_from([1, 700, 4_000, 10_499, 10_500, 20_000])  # taken back so far, in rupiah
STEPS = 20
EXAMPLES = settings().max_examples // 4  # about 15 ms a step, mostly the audit


class Trade(RuleBasedStateMachine):
    """Any sequence of acts of buyers, banks, operators and workers."""

    shop: Shop

    def __init__(self) -> None:
        super().__init__()
        self.shop.clear()
        self.early = 0

    # -- orders ----------------------------------------------------------------------------

    @rule(quantity=st.integers(1, 3))
    def place(self, quantity: int) -> None:
        self.shop.place(quantity)

    @rule(sizes=st.lists(st.integers(1, 2), min_size=1, max_size=2))
    def place_documents(self, sizes: list[int]) -> None:
        self.shop.place_documents(sizes)

    # Most trade goes one of these ways; without them, chance would rarely get beyond the first
    # payment.
    @rule(
        sizes=st.lists(st.integers(1, 2), max_size=2),
        quantity=st.integers(1, 3),
        more=MORE,
        then=st.lists(
            st.sampled_from(
                ["work", "work_once", "overtake", "pay", "charge_back", "charge_a_part_back"]
            ),
            max_size=4,
        ),
    )
    def buy(self, sizes: list[int], quantity: int, more: int, then: list[str]) -> None:
        shop = self.shop
        order = shop.place_documents(sizes) if sizes else shop.place(quantity)
        paid = shop.pay(order, more)
        for act in then:
            match act:
                case "pay":
                    shop.pay(order)
                case "charge_back":
                    shop.charge_back(paid)
                case "charge_a_part_back":
                    shop.charge_back(paid, 4_000)
                case _:
                    getattr(shop, act)()

    @precondition(lambda self: self.shop.placed)
    @rule(which=WHICH, state=st.sampled_from(["lapsed", "withdrawn"]))
    def give_up(self, which: int, state: str) -> None:
        self.shop.give_up(self._order(which), state)

    @precondition(lambda self: self.shop.placed)
    @rule(which=WHICH, how=st.sampled_from(["execute", "refund_overdue"]))
    def make_a_round(self, which: int, how: str) -> None:
        getattr(self.shop, how)(self._order(which))

    @rule(is_open=st.booleans())
    def set_issuing(self, is_open: bool) -> None:
        self.shop.set_issuing(is_open=is_open)

    # -- payments --------------------------------------------------------------------------

    @precondition(lambda self: self.shop.placed)
    @rule(which=WHICH, more=MORE, attempt=WHICH)
    def pay(self, which: int, more: int, attempt: int) -> None:
        order = self._order(which)
        attempts = self.shop.attempts(order)
        self.shop.pay(order, more, attempts[attempt % len(attempts)])

    @precondition(lambda self: self.shop.paid)
    @rule(which=WHICH)
    def tell_again(self, which: int) -> None:
        assert self.shop.tell(self._paid(which)) == "known"

    @precondition(lambda self: self.shop.paid)
    @rule(which=WHICH)
    def charge_back(self, which: int) -> None:
        self.shop.charge_back(self._paid(which))

    @precondition(lambda self: self.shop.paid)
    @rule(which=WHICH)
    def win(self, which: int) -> None:
        """Win a booked chargeback; the bank's answer comes a day later."""
        self.shop.work_off()
        self.shop.win(self._paid(which))
        self.shop.work()  # until then the books have what the bank has no more

    @precondition(lambda self: self.shop.paid)
    @rule(which=WHICH, part=PART)
    def charge_a_part_back(self, which: int, part: int) -> None:
        """Charge `part` back so far; a smaller sum than before is a repeat."""
        self.shop.charge_back(self._paid(which), part)

    @precondition(lambda self: self.shop.placed)
    @rule(which=WHICH, part=st.sampled_from([None, 4_000, 10_500]), is_worked=st.booleans())
    def charge_back_before_it_is_told(self, which: int, part: int | None, is_worked: bool) -> None:
        attempt = self.shop.attempts(self._order(which))[-1]
        self.early += 1
        paid = Paid(attempt, f"E{self.early:06}", 10_500)
        assert self.shop.charge_back(paid, part) in ("early", "declined")
        if is_worked:
            self.shop.work()
        assert self.shop.tell(paid) == "captured"
        assert self.shop.tell(paid) == "known"
        self.shop.paid.append(paid)

    @precondition(lambda self: self.shop.placed)
    @rule(which=WHICH, how=st.sampled_from(["make_qr", "lose_qr", "decline"]))
    def move_attempt(self, which: int, how: str) -> None:
        attempt = self.shop.attempts(self._order(which))[-1]
        getattr(self.shop, how)(attempt)

    # -- stampings -------------------------------------------------------------------------

    @rule(count=st.integers(1, 3))
    def reserve(self, count: int) -> None:
        before = self.shop.balance()
        reserved = self.shop.reserve(count)
        assert (reserved is not None) == (before.available >= count)

    @precondition(lambda self: self.shop.stampings)
    @rule(which=WHICH, how=st.sampled_from(["deliver", "deliver", "fail"]))
    def end_stamping(self, which: int, how: str) -> None:
        getattr(self.shop, how)(self._stamping(which))

    # -- refunds ---------------------------------------------------------------------------

    @precondition(lambda self: self.shop.placed)
    @rule(which=WHICH)
    def ask_back(self, which: int) -> None:
        self.shop.ask_back(self._order(which))

    @rule(
        which=WHICH, how=st.sampled_from(["send", "settle", "refuse", "settle_whatever", "reverse"])
    )
    def move_refund(self, which: int, how: str) -> None:
        refunds = self.shop.refunds()
        if refunds:
            getattr(self.shop, how)(refunds[which % len(refunds)])

    # -- the worker ------------------------------------------------------------------------

    @rule()
    def work(self) -> None:
        self.shop.work()

    @rule(first=WHICH)
    def overtake(self, first: int) -> None:
        self.shop.overtake(first)

    # -- what must be true -----------------------------------------------------------------

    @invariant()
    def books_hold(self) -> None:
        self.shop.assert_books_hold()

    def teardown(self) -> None:
        """At the end no money is in flight: it is executed, or with the buyer."""
        shop = self.shop
        shop.work_off()
        for stamping in shop.stampings:
            shop.fail(stamping)
        shop.work_off()
        for order in shop.placed:
            shop.refund_overdue(order)
        shop.work_off()
        shop.assert_books_hold()
        for refund in shop.refunds():
            shop.send(refund)
            shop.settle(refund)
        shop.work_off()
        shop.assert_books_hold()
        states = {order: shop.state(order) for order in shop.placed}
        assert shop.in_flight() == 0
        assert not {"paid", "returning"} & set(states.values())

    def _order(self, which: int) -> UUID:
        return self.shop.placed[which % len(self.shop.placed)]

    def _paid(self, which: int) -> Paid:
        return self.shop.paid[which % len(self.shop.paid)]

    def _stamping(self, which: int) -> UUID:
        return self.shop.stampings[which % len(self.shop.stampings)]


def test_books_hold_after_any_sequence_of_acts(shop: Shop) -> None:
    shop.bank = BankRecord()
    Trade.shop = shop
    run_state_machine_as_test(
        Trade,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=True,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            # A failure shows its thirty steps.  To have them shrunk, add Phase.shrink: minutes.
            phases=[Phase.generate],
        ),
    )


def test_charged_back_sum_is_not_refunded_again(shop: Shop) -> None:
    paid = shop.pay(shop.place_documents([1, 1]))
    shop.work()
    stamped, spoilt = shop.stampings
    shop.charge_back(paid)
    shop.work()
    assert shop.in_flight() == paid.amount, "both documents are being stamped"
    shop.deliver(stamped)
    shop.fail(spoilt)
    shop.work()
    assert shop.refunds() == []
    assert shop.in_flight() == 0
    shop.assert_books_hold()


def test_chargeback_that_overtakes_its_payment_leaves_the_order_to_be_paid(shop: Shop) -> None:
    order = shop.place(1)
    shop.charge_back(shop.pay(order))
    shop.overtake(0)
    shop.work_off()
    assert shop.state(order) == "placed"
    assert shop.in_flight() == 0
    shop.pay(order)
    shop.work()
    assert shop.state(order) == "executed"
    shop.assert_books_hold()


def test_failed_document_of_a_partly_charged_back_order_ends_the_order(shop: Shop) -> None:
    order = shop.place_documents([1])
    paid = shop.pay(order)
    shop.work()
    shop.charge_back(paid, 700)
    shop.work()
    shop.fail(*shop.stampings)
    shop.work()
    assert shop.state(order) == "denied", (
        "its stamp is retired, and the rest of its money goes back"
    )
    assert len(shop.refunds()) == 1
    shop.assert_books_hold()
