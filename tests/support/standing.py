"""Report on money of an instance that is not settled: its books, the bank's, and due work."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]
ROWS_MAX = 20  # rows of each query
OURS = {
    "books": "SELECT book, sum(credit - debit)::bigint AS balance FROM legs GROUP BY book",
    "jobs": """SELECT kind, handler, tries, run_at - now() AS due_in, last_fault FROM jobs""",
    "attempts not closed": """SELECT attempt_id, state, tries, asked, cancel_tries, last_answer,
        leased_until - now() AS leased_for, ask_at - now() AS asked_in FROM payment_attempts
        WHERE state IN ('opening', 'waiting')""",
    "orders not executed": """SELECT order_id, state, due_at - now() AS due_in FROM orders
        WHERE state IN ('placed', 'paid', 'returning')""",
    "stampings reserved": """SELECT stamping_id, order_id FROM stampings WHERE state = 'reserved'""",
    "refunds not closed": """SELECT refund_no, state, cause, amount, tries, try_at - now() AS tried_in,
        leased_until - now() AS leased_for, last_answer FROM refunds
        WHERE state NOT IN ('settled', 'void')""",
    "notifications not taken": """SELECT external_id, now() - received_at AS age
        FROM notification_inbox WHERE outcome IS NULL""",
    "items in suspense": """SELECT reason, payment, amount, booked FROM suspense_items
        WHERE state = 'open'""",
    "rows that failed": """SELECT round, subject, tries, code, last_fault FROM round_faults""",
    "dead jobs": """SELECT kind, handler, tries, fault FROM dead_jobs""",
}
# A chargeback is in the books, or its payment was never booked.
CAPTURES = "SELECT payment, amount FROM captures WHERE learned_by <> 'denial' AND denied_at IS NULL"
THEIRS = {
    "the bank": """SELECT (SELECT sum(amount) FROM payment) AS received,
        (SELECT sum(amount) FROM refund) AS refunded, (SELECT sum(amount) FROM chargeback) AS denied""",
    "notifications not delivered": """SELECT external_id, reference_no, state, attempts,
        due_at / 1000.0 - unixepoch('subsec') AS due_in FROM notification WHERE state <> 'delivered'""",
}
PAYMENTS = "SELECT rrn, amount FROM payment WHERE denied_at IS NULL"


def standing(ours: Callable[[str], Rows], data: Path) -> str:
    """Unsettled rows, one line for each kind. `ours` queries the database of the instance in `data`.

    The file of the stand-in bank is read directly, so that the bank need not run.
    """
    found = {what: ours(f"{query} LIMIT {ROWS_MAX}") for what, query in OURS.items()}
    file = f"file:{data}/standins/bank.sqlite?mode=ro"
    with closing(sqlite3.connect(file, uri=True)) as bank:
        bank.row_factory = sqlite3.Row
        found |= {what: _rows(bank, f"{query} LIMIT {ROWS_MAX}") for what, query in THEIRS.items()}
        paid = {row["rrn"]: row["amount"] for row in _rows(bank, PAYMENTS)}
    captured = {row["payment"]: row["amount"] for row in ours(CAPTURES)}
    found["received and not captured"] = [dict(sorted(paid.items() - captured.items()))]
    found["captured and not received"] = [dict(sorted(captured.items() - paid.items()))]
    return "\n".join(f"{what}: {_text(rows)}" for what, rows in found.items() if any(rows))


def _rows(bank: sqlite3.Connection, query: str) -> Rows:
    return [dict(row) for row in bank.execute(query)]


def _text(rows: Rows) -> str:
    return "; ".join(" ".join(f"{name}={value}" for name, value in row.items()) for row in rows)
