"""Corruptions of rows of reconciliation, and the invariants that must find each."""

from tests.support.corrupting import MARKS_OF_NOBODY, corruption

CORRUPTIONS = (
    corruption(
        "the record of a day is put off for a year",
        "UPDATE record_days SET leased_until = now() + interval '1 year'",
        "days_of_records_are_compared",
    ),
    corruption(
        "a day is marked as compared without its lines",
        "DELETE FROM record_lines",
        MARKS_OF_NOBODY,
    ),
)
