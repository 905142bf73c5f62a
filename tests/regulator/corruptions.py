"""Corruptions of rows of the regulator, and the invariants that must find each."""

from tests.support.corrupting import corruption

CORRUPTIONS = (
    corruption(
        "an extract with another number of rows",
        "UPDATE extracts SET rows = rows + 1",
        "extracts_are_as_they_were_signed",
    ),
    corruption(
        "an extract with another sum",
        "UPDATE extract_sums SET amount = amount + 10000 WHERE book = 'duty_payable'",
        "extracts_are_as_they_were_signed",
        "closed_months_stay_as_they_were_told",
    ),
    corruption(
        "an extract without its file", "DELETE FROM extract_parts", "extract_files_are_whole"
    ),
    corruption(
        "another figure of a closed month",
        "UPDATE statement_sums SET amount = amount + 10000",
        "closed_months_stay_as_they_were_told",
    ),
    corruption(
        "a closed month without its last day",
        "UPDATE statements SET month = month - interval '1 month'",
        "closed_months_stay_as_they_were_told",
        "closed_months_are_in_the_trail",
    ),
    corruption(
        "a month that nobody closed",
        "UPDATE audit_events SET subject = '2025-02' WHERE action = 'statement_closed'",
        "closed_months_are_in_the_trail",
    ),
)
