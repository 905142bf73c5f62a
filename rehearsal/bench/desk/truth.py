"""Truth of an answer, judged only by the tables and the books, without the code that answers.

An answer is true if its code is allowed for the state, and every fact in it equals the value that the database
has for that order, stamping or refund at that moment.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from bench.desk.states import Behind
from meterai.kit.money import Rupiah
from tests.support.till import Till

Facts = Mapping[str, Any]
REFUND_STATES = {
    "refund_on_its_way": {"requested", "sent"},
    "refund_settled": {"settled"},
    "refund_declined": {"refused"},
}


class Ledger:
    """Tables and books behind one complaint."""

    def __init__(self, till: Till, behind: Behind) -> None:
        self._till, self.behind = till, behind

    def rows(self, query: str, *more: object) -> list[dict[str, Any]]:
        """Return the rows of a query whose first parameter is the account of the complaining person."""
        return self._till.rows(query, self.behind.account, *more)

    @property
    def order(self) -> dict[str, Any]:
        """Return the order."""
        [row] = self.rows(
            "SELECT * FROM orders WHERE account_id = %s AND order_id = %s", self.behind.order
        )
        return row

    def captured(self) -> int:
        """Return the rupiah received for the order: the sum of its payments."""
        [row] = self.rows(
            "SELECT coalesce(sum(c.amount), 0)::bigint AS sum FROM captures c"
            " JOIN payment_attempts a USING (account_id, attempt_id)"
            " WHERE c.account_id = %s AND a.subject = %s",
            self.behind.order,
        )
        return int(row["sum"])

    def book(self, book: str) -> int:
        """Return the balance of a book for the order, in rupiah."""
        [row] = self.rows(
            "SELECT coalesce(sum(l.credit - l.debit), 0)::bigint AS sum FROM entries e"
            " JOIN legs l USING (account_id, entry_id)"
            " WHERE e.account_id = %s AND e.subject = %s AND l.book = %s",
            self.behind.order,
            book,
        )
        return int(row["sum"])

    def refund(self, number: str) -> dict[str, Any]:
        """Return the refund with our number."""
        [row] = self.rows("SELECT * FROM refunds WHERE account_id = %s AND refund_no = %s", number)
        assert row["order_id"] == self.behind.order
        return row

    def stampings(self) -> list[dict[str, Any]]:
        """Return the stampings of the complaint."""
        return self.rows(
            "SELECT s.*, d.name, d.kept_until FROM stampings s JOIN documents d"
            " ON d.account_id = s.account_id AND d.sha256 = s.sha256_original"
            " WHERE s.account_id = %s AND (s.order_id = %s OR s.stamping_id = %s)",
            self.behind.order,
            self.behind.stamping,
        )


def _same(told: object, known: datetime | None) -> bool:
    return isinstance(told, str) and known is not None and datetime.fromisoformat(told) == known


def _refund(found: Ledger, code: str, facts: Facts) -> None:
    row = found.refund(facts["number"])
    base = code.removeprefix("stamping_failed_").removesuffix("_second")
    assert row["state"] in REFUND_STATES[base], row["state"]
    assert facts["amount"] == str(Rupiah(row["amount"]))
    assert facts["cause"] == row["cause"]
    assert _same(facts["due_at"], row["due_at"])
    if base == "refund_settled":
        assert _same(facts["settled_at"], row["settled_at"])
        assert facts["bank_number"] == row["provider_refund_no"]
        assert found.book("refunds_payable") == 0
    if code.endswith("_second"):
        assert row["cause"] in ("double", "excess", "late")


def _in_flight(found: Ledger, code: str, facts: Facts) -> None:
    order = found.order
    assert found.book("duty_payable") == 0
    assert facts["amount"] == str(Rupiah(found.captured()))
    assert found.book("buyer_funds") in (found.captured(), 0)  # 0: its job has not run yet
    [issuing] = found._till.rows("SELECT is_open FROM issuing")
    assert issuing["is_open"] == (code == "in_flight")
    if order["due_at"] is not None:
        assert _same(facts["due_at"], order["due_at"])
    assert datetime.fromisoformat(facts["due_at"]).tzinfo is not None


def _unpaid(found: Ledger, code: str, facts: Facts) -> None:
    states = {"not_paid": "placed", "lapsed_unpaid": "lapsed", "withdrawn_unpaid": "withdrawn"}
    assert found.order["state"] == states[code]
    assert found.captured() == 0
    assert facts["amount"] == str(Rupiah(found.order["total"]))
    [attempt] = found.rows(
        "SELECT answered_at FROM payment_attempts WHERE account_id = %s AND subject = %s",
        found.behind.order,
    )
    assert _same(facts["asked_at"], attempt["answered_at"])


def _stamps(found: Ledger, code: str, facts: Facts) -> None:
    [lot] = found.rows(
        "SELECT * FROM stamp_lots WHERE account_id = %s AND lot_id = %s", found.behind.order
    )
    unused = lot["issued"] - lot["held"] - lot["affixed"] - lot["returned"]
    assert facts["unused"] == unused
    if code == "not_asked_back":
        assert found.rows("SELECT 1 FROM refunds WHERE account_id = %s") == []
        each = found.order["unit_price"] + found.order["service_fee"]
        assert facts["amount"] == str(Rupiah(unused * each))
        return
    assert (unused > 0) == (code == "stamps_ready")
    assert facts["quantity"] == lot["issued"] == found.order["quantity"]
    for name in ("affixed", "held", "returned"):
        assert facts[name] == lot[name]
    assert _same(facts["paid_at"], found.order["paid_at"])


def _paid_once(found: Ledger, _code: str, facts: Facts) -> None:
    assert facts["amount"] == str(Rupiah(found.captured()))
    [count] = found.rows(
        "SELECT count(*) AS n FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)"
        " WHERE c.account_id = %s AND a.subject = %s",
        found.behind.order,
    )
    assert count["n"] == 1


def _taken_back(found: Ledger, _code: str, facts: Facts) -> None:
    [row] = found.rows("SELECT sum(taken_back) AS sum FROM chargebacks WHERE account_id = %s")
    assert facts["amount"] == str(Rupiah(int(row["sum"])))
    assert found.order["state"] == "denied"
    assert found.book("bank_clearing") == 0


def _named(found: Ledger, facts: Facts, state: str) -> dict[str, Any]:
    """Return the stamping that an answer names, in this state; its document identifies it."""
    rows = [one for one in found.stampings() if one["state"] == state]
    assert rows
    assert any(one["name"] in facts["document"] for one in rows)
    return rows[0]


def _failed(found: Ledger, code: str, facts: Facts) -> None:
    row = _named(found, facts, "failed")
    assert facts["reason"] == row["refused"]
    delivered = [one["kept_until"] for one in found.stampings() if one["state"] == "delivered"]
    assert facts.get("ready", 0) == len(delivered)
    assert not delivered or _same(facts["ready_until_at"], min(delivered))
    if code != "stamping_failed":
        _refund(found, code, facts)
        return
    [lot] = found.rows("SELECT held, affixed FROM stamp_lots WHERE account_id = %s")
    assert (lot["held"], lot["affixed"]) == (0, 0)  # the stamp is free again


def _delivered(found: Ledger, code: str, facts: Facts) -> None:
    _named(found, facts, "delivered")
    if "sha256" in facts:
        stamped = {
            one["sha256_stamped"].hex() for one in found.stampings() if one["sha256_stamped"]
        }
        assert facts["sha256"] in stamped
    if "serials" in facts:
        known = found.rows("SELECT serial FROM stamps WHERE account_id = %s AND state = 'affixed'")
        assert facts["serials"]
        assert set(facts["serials"]) <= {one["serial"] for one in known}
    if code in ("document_ready", "stamp_holds"):
        assert any(_same(facts["delivered_at"], one["delivered_at"]) for one in found.stampings())
    if "until_at" in facts:
        assert any(_same(facts["until_at"], one["kept_until"]) for one in found.stampings())


def _all_stamped(found: Ledger, _code: str, facts: Facts) -> None:
    rows = found.stampings()
    assert facts["count"] == len(rows)
    assert all(one["state"] == "delivered" for one in rows)
    assert _same(facts["paid_at"], found.order["paid_at"])


def _under_way(found: Ledger, _code: str, facts: Facts) -> None:
    assert _same(facts["due_at"], _named(found, facts, "reserved")["due_at"])


_JUDGES: Mapping[str, Callable[[Ledger, str, Facts], None]] = {
    **{f"{name}{second}": _refund for name in REFUND_STATES for second in ("", "_second")},
    "in_flight": _in_flight,
    "in_flight_stopped": _in_flight,
    "not_paid": _unpaid,
    "lapsed_unpaid": _unpaid,
    "withdrawn_unpaid": _unpaid,
    "stamps_ready": _stamps,
    "stamps_used": _stamps,
    "not_asked_back": _stamps,
    "paid_once": _paid_once,
    "taken_back": _taken_back,
    "stamping_failed": _failed,
    "stamping_failed_refund_on_its_way": _failed,
    "document_ready": _delivered,
    "stamp_holds": _delivered,
    "download_again": _delivered,
    "documents_stamped": _all_stamped,
    "stamping_under_way": _under_way,
}


def fault_of(till: Till, behind: Behind, code: str, facts: Facts) -> str:
    """Return the fault of an answer, empty if it is true."""
    judge = _JUDGES.get(code)
    if judge is None:
        return f"no rule for {code}"
    try:
        judge(Ledger(till, behind), code, facts)
    except (AssertionError, KeyError, ValueError) as fault:
        return f"{type(fault).__name__}: {fault}"[:300] or "a fact differs"
    return ""


def case_of(till: Till, case: UUID) -> dict[str, Any]:
    """Return the row of a case."""
    [row] = till.rows(
        "SELECT state, answer, answer_facts, due_at FROM cases WHERE case_id = %s", case
    )
    return row
