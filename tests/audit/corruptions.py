"""Corruptions of rows of the audit, and the invariants that must find each."""

from tests.support.corrupting import MARKS_OF_NOBODY, TIMES_OF_NOBODY, corruption

CORRUPTIONS = (
    corruption(
        "audit_turn.leased_until is 'infinity'",
        "INSERT INTO audit_turn (leased_until) VALUES ('infinity')",
        TIMES_OF_NOBODY,
    ),
    corruption(
        "an audit is marked as clean, and there is no point",
        "INSERT INTO audit_turn (leased_until, ended_at) VALUES (now(), now())",
        MARKS_OF_NOBODY,
    ),
)
