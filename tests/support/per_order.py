"""Reference for the books of one order, computed from all other tables.

It reads no entry and no posting rule: payments, chargebacks, refunds and the lot of the order determine
its money.  Each order is computed alone, so that one order's books never touch another's.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Row = dict[str, Any]
OPEN = ("requested", "sent", "accepted", "refused")


@dataclass(slots=True)
class Payment:
    """One payment of the order, from the tables of payments and refunds."""

    amount: int
    taken_back: (
        int  # by the payer's bank, or given back by the provider itself; as posted to the books
    )
    lost: int
    refunds: list[Row]

    def refunded(
        self, *states: str, ways: Collection[str] = ("provider", "transfer", "claim")
    ) -> int:
        return sum(
            row["amount"] for row in self.refunds if row["state"] in states and row["way"] in ways
        )


@dataclass(slots=True)
class Reference:
    """Facts about one order."""

    order: Row
    lot: Row | None
    deposit: Row | None = None  # bought by this order
    payments: dict[tuple[UUID, str], Payment] = field(default_factory=dict)
    compensation: int = 0  # rupiah granted for late refunds of this order
    compensated: int = 0  # of it, rupiah that reached the buyer

    @property
    def unit(self) -> int:
        return int(self.order["unit_price"] + self.order["service_fee"])

    @property
    def free(self) -> int:
        lot = self.lot
        return lot["issued"] - lot["held"] - lot["affixed"] - lot["returned"] if lot else 0

    @property
    def payer(self) -> Payment | None:
        return self.payments.get((self.order["paid_attempt"], self.order["paid_payment"]))

    def kept(self) -> int:
        """Rupiah of the paying payment that belong to the order, executed or not."""
        if self.lot is not None:
            return int(self.lot["issued"] - self.lot["returned"]) * self.unit
        if self.deposit is not None:
            return int(self.deposit["added"] - self.deposit["withdrawn"])
        return int(self.order["total"]) if self.order["state"] == "paid" else 0

    def executed(self) -> int:
        if self.deposit is not None:
            return self.kept()
        if self.lot is None:
            return 0
        is_quota = self.lot["book"] == "stamps_available"
        left = self.lot["issued"] - self.lot["returned"] if is_quota else self.lot["affixed"]
        return int(left) * self.unit

    def unassigned(self, payment: Payment) -> int:
        found = payment.taken_back - payment.lost
        kept = self.kept() if payment is self.payer else 0
        return payment.amount - found - payment.refunded(*OPEN, "settled") - kept

    def books(self) -> dict[str, int]:
        """Every book in rupiah, credits positive."""
        every = self.payments.values()
        in_order = self.kept() - self.executed()  # paid, and not executed
        return {
            "bank_clearing": sum(
                one.taken_back + one.refunded("settled", ways=["provider"]) - one.amount
                for one in every
            ),
            "refund_float": sum(one.refunded("settled", ways=["transfer"]) for one in every)
            + self.compensated,
            "compensation": -self.compensation,
            "buyer_funds": sum(self.unassigned(one) for one in every) + in_order,
            "refunds_payable": sum(one.refunded(*OPEN) for one in every)
            + self.compensation
            - self.compensated,
            "executed": self.executed(),
            "denied_loss": -sum(one.lost for one in every),
        }

    def complaints(self) -> list[str]:
        """Contradictions within these facts, independent of the books."""
        found = []
        for key, one in self.payments.items():
            if self.unassigned(one) < 0:
                found.append(f"{key}: more was given than there was")
            if one.lost and (self.unassigned(one) or one.refunded("requested", "refused")):
                found.append(f"{key}: a loss although there is money of the same payment")
            used = one.refunded("settled", "sent")
            # A chargeback and a return by the provider may concern the same money.
            used += max(0, one.taken_back - one.amount)
            if one is self.payer and self.deposit is not None:
                used += self.kept()  # the part of the deposit that was spent on sales
            if one is self.payer and self.lot is not None:
                used += (self.lot["held"] + self.lot["affixed"]) * self.unit
                if one.lost and self.free:
                    found.append(f"{key}: an unused stamp that nobody has paid for")
            if one.lost > used:
                found.append(f"{key}: a loss of {one.lost} where {used} was used")
        return found


def references(read: Any) -> list[Reference]:
    """Every order of the database. `read` runs a query and returns its rows."""
    lots = {row["lot_id"]: row for row in read("SELECT * FROM stamp_lots")}
    deposits = {row["order_id"]: row for row in read("SELECT * FROM order_deposits")}
    found = {
        row["order_id"]: Reference(row, lots.get(row["order_id"]), deposits.get(row["order_id"]))
        for row in read("SELECT * FROM orders")
    }
    for row in read(
        "SELECT a.subject, c.attempt_id, c.payment, c.amount, coalesce(b.posted - b.won + b.returned_posted, 0) AS posted,"
        " coalesce(b.lost, 0) AS lost FROM captures c"
        " JOIN payment_attempts a USING (account_id, attempt_id)"
        " LEFT JOIN chargebacks b USING (account_id, attempt_id, payment)"
        " WHERE c.learned_by <> 'denial'"
    ):
        found[row["subject"]].payments[row["attempt_id"], row["payment"]] = Payment(
            row["amount"], row["posted"], row["lost"], []
        )
    for row in read(
        "SELECT order_id, attempt_id, payment, state, way, amount - reversed AS amount FROM refunds"
    ):
        found[row["order_id"]].payments[row["attempt_id"], row["payment"]].refunds.append(row)
    for row in read(
        "SELECT r.order_id, c.amount, coalesce(t.state = 'settled', false) AS is_paid FROM compensations c"
        " JOIN refunds r USING (account_id, refund_id)"
        " LEFT JOIN transfers t ON t.account_id = c.account_id AND t.transfer_id = c.transfer_id"
    ):
        found[row["order_id"]].compensation += row["amount"]
        found[row["order_id"]].compensated += row["amount"] if row["is_paid"] else 0
    return list(found.values())


def posted(read: Any) -> dict[UUID, dict[str, int]]:
    """Sums of the entries of each order, in the books of `Reference.books`."""
    sums: dict[UUID, dict[str, int]] = {}
    for row in read(
        "SELECT e.subject, CASE WHEN l.book IN ('duty_payable', 'service_fee', 'deposits') THEN 'executed'"
        " ELSE l.book END AS book, sum(l.credit - l.debit)::bigint AS sum"
        " FROM entries e JOIN legs l USING (account_id, entry_id) WHERE l.unit = 'IDR'"
        " AND l.account_id <> '00000000-0000-0000-0000-000000000000'"  # money in suspense belongs to no account
        " AND e.subject NOT IN (SELECT transfer_id FROM transfers)"  # posted for a transfer that was executed after we knew it as refused
        " AND e.subject NOT IN (SELECT sale_id FROM sales)"  # paid from a deposit: see tests/distribution
        " AND NOT starts_with(e.reason, 'fee_')"  # fees of sellers: see tests/distribution
        " AND e.reason NOT IN ('credit_drawn', 'credit_returned', 'collector_deposited')"  # see tests/collectors
        " GROUP BY 1, 2"
    ):
        sums.setdefault(row["subject"], {})[row["book"]] = row["sum"]
    return sums


def assert_each_order_is_explained(read: Any) -> None:
    """Check that the books of every order equal the reference, and that no entry belongs to another subject."""
    every, found = references(read), posted(read)
    assert not set(found) - {one.order["order_id"] for one in every}, "money of no order"
    for one in every:
        identifier = one.order["order_id"]
        sums = {book: found.get(identifier, {}).get(book, 0) for book in one.books()}
        assert sums == one.books(), (identifier, one.order["state"])
        assert min(sums["buyer_funds"], sums["refunds_payable"], sums["executed"]) >= 0
        assert not one.complaints(), (identifier, one.order["state"], one.complaints())
