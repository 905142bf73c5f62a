"""A bank that does not answer gets few calls, and nothing is lost by calls that were not begun."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from meterai.orders import OrderService
from meterai.payments import PaymentService, RefundSender
from meterai.payments.model import NoAnswer, ProviderUnreachable
from meterai.payments.service import BATCH
from meterai.plumbing.work.outgoing import (
    CALLS_MIN,
    PROBE_SECONDS,
    PROBES_MAX,
    REPEATS_PER_SECOND,
    SILENT_IN_A_ROW,
    WINDOW_SECONDS,
    CircuitState,
    Outgoing,
)
from tests.support.till import Till

SERVICES = ("generate", "query", "cancel", "refund", "history-detail")
SILENT = {"hang_up": True, "act": False, "times": -1}


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Outage:
    """A till whose bank stops answering and comes back."""

    def __init__(self, till: Till) -> None:
        self.till = till
        self.hands = Hands()
        rails = till.shop.container.of(PaymentService).rails
        self.outgoing = Outgoing("bank", ProviderUnreachable, NoAnswer, clock=self.hands)
        rails._outgoing["bank"] = self.outgoing

    def state(self) -> CircuitState:
        return self.outgoing.state

    def begin(self) -> None:
        self.pass_seconds(WINDOW_SECONDS + 1)  # earlier answers are outside the window
        for service in SERVICES:
            self.till.answers(service, SILENT)

    def end(self) -> None:
        self.till.do(self.till._clear_faults())

    def pass_seconds(self, seconds: float) -> None:
        """Move the clock of the circuit breaker."""
        self.hands.now += seconds

    def let_them_run_out(self) -> None:
        now = datetime.now(UTC)
        self.till.shop.arrange("UPDATE orders SET lapses_at = %s", now)
        self.till.shop.arrange("UPDATE payment_attempts SET expires_at = %s", now)

    def tries(self) -> list[int]:
        rows = self.till.rows("SELECT tries FROM payment_attempts ORDER BY attempt_id")
        return [row["tries"] for row in rows]

    def states(self) -> set[str]:
        return {row["state"] for row in self.till.rows("SELECT state FROM payment_attempts")}

    def open_round(self) -> int:
        """Run the periodic task as the worker does: only for due attempts."""
        return self.till.do(self.till.shop.container.of(PaymentService).open_waiting())


@pytest.fixture
def outage(till: Till) -> Iterator[Outage]:
    made = Outage(till)
    yield made
    made.end()
    made.pass_seconds(60)


def test_attempts_wait_for_an_unavailable_bank_and_are_opened_afterwards(
    outage: Outage,
) -> None:
    till = outage.till
    for _ in range(3 * CALLS_MIN):
        till.shop.place(1)
    outage.begin()
    till.open()
    assert outage.state() == CircuitState.OPEN
    begun = sum(outage.tries())
    assert SILENT_IN_A_ROW <= begun <= BATCH
    # The circuit probes twice, and twice again.
    for _ in range(2):
        assert outage.open_round() == 0
        outage.pass_seconds(PROBE_SECONDS)
        till.open()
        assert outage.state() == CircuitState.OPEN
        begun += PROBES_MAX
        assert sum(outage.tries()) == begun
    outage.end()
    outage.pass_seconds(PROBE_SECONDS)
    till.open()
    assert outage.state() == CircuitState.CLOSED
    till.open()
    assert outage.states() == {"waiting"}


def test_attempt_that_expires_while_opening_ends(outage: Outage) -> None:
    till = outage.till
    for _ in range(CALLS_MIN):
        till.shop.place(1)
    outage.begin()
    till.open()
    outage.let_them_run_out()
    till.open()
    assert outage.state() == CircuitState.OPEN
    # They may have been made, so they are queried when the bank is back.
    assert outage.states() == {"lost"}


def test_delayed_refund_is_made_once(outage: Outage) -> None:
    till = outage.till
    orders = []
    for _ in range(CALLS_MIN + 2):
        order, _, qr = till.order()
        till.control("pay", qr_content=qr)
        orders.append(order)
    till.ask()
    for order in orders:
        till.shop.ask_back(order)
    till.shop.work()
    outage.begin()
    till.send_refunds()
    assert outage.state() == CircuitState.OPEN
    before = till.rows("SELECT refund_no, tries, state, try_at FROM refunds ORDER BY refund_no")
    assert all(row["state"] == ("sent" if row["tries"] else "requested") for row in before)
    # No try is used up while the bank is away. The refunds are leased, since another rail may be available.
    till.shop.arrange("UPDATE refunds SET try_at = now(), leased_until = NULL")
    till.do(till.shop.container.of(RefundSender).send_due())
    after = till.rows("SELECT refund_no, tries FROM refunds ORDER BY refund_no")
    assert [row["tries"] for row in after] == [row["tries"] for row in before]
    till.assert_books_hold()
    outage.end()
    outage.pass_seconds(PROBE_SECONDS)
    till.send_refunds()
    till.send_refunds()
    assert {row["state"] for row in till.rows("SELECT state FROM refunds")} == {"settled"}
    numbers = [row["refund_no"] for row in before]
    made = [one["partner_refund_no"] for one in till.do(till.bank.look("refunds?limit=100"))]
    assert sorted(one for one in made if one in numbers) == numbers


def test_cancellation_waits_and_is_repeated(outage: Outage) -> None:
    till = outage.till
    attempts = [till.order()[1] for _ in range(CALLS_MIN)]
    outage.let_them_run_out()
    till.do(till.shop.container.of(OrderService).expire_unpaid())
    outage.begin()
    till.cancel()
    assert outage.state() == CircuitState.OPEN
    tries = "SELECT sum(cancel_tries) AS tries FROM payment_attempts"
    before = till.rows(tries)
    till.shop.arrange("UPDATE payment_attempts SET cancel_at = now()")
    assert till.do(till.shop.container.of(PaymentService).cancel_closed()) == 0
    assert till.rows(tries) == before
    outage.end()
    outage.pass_seconds(PROBE_SECONDS)
    till.cancel()
    till.cancel()
    assert all(till.attempt(one)["is_taken_back"] for one in attempts)


def test_repeats_are_bounded_if_answers_are_useless(outage: Outage) -> None:
    till = outage.till
    floor = REPEATS_PER_SECOND * WINDOW_SECONDS
    till.answers("generate", {"status": 500, "act": False, "times": -1})
    for _ in range(3):
        till.shop.place(1)
    for _ in range(floor):
        till.open()
    assert outage.state() == CircuitState.CLOSED  # the bank answers
    # One first try each, and in ten seconds no more repeats than the minimum of the budget.
    assert sum(outage.tries()) == 3 + floor
    outage.pass_seconds(WINDOW_SECONDS + 1)
    till.open()
    assert sum(outage.tries()) == 3 + floor + 3
