"""Columns of statements, as the audit knows them."""

from meterai.plumbing.db.audited import Audited, global_fact

_FILES = ("extract_files_are_whole", "extracts_are_what_the_books_say")
_SUMS = ("extracts_are_as_they_were_signed", "extracts_are_what_the_books_say")
_CLOSED = ("closed_months_stay_as_they_were_told",)
AUDITED = Audited(
    facts=(
        global_fact("extracts", "made_at", "day rows size sha256 manifest"),
        global_fact("statements", "closed_at", "month"),
    ),
    checked={
        "extract_parts": dict.fromkeys(("day", "part", "content"), _FILES),
        "extract_sums": dict.fromkeys(("day", "reason", "book", "entries", "amount"), _SUMS),
        "statement_sums": dict.fromkeys(("month", "reason", "book", "entries", "amount"), _CLOSED),
    },
)
