"""Rules by which the audit checks the columns of the tables of reconciliation."""

from meterai.plumbing.db.audited import Audited, ClockColumn, MarkEvidence

_LINES = (
    "A copy of the provider's record, replaced by each reading; a difference is an item, with "
    "these rows as evidence."
)
# Record lines have no index by refund, so the evidence is a comparison in the audit trail.  The trail has every comparison of
# a day, its row only the last.  Rows that a record contains are marked after its comparison, in batches.
_COMPARED = """EXISTS (SELECT 1 FROM audit_events e WHERE e.account_id = '00000000-0000-0000-0000-000000000000'
    AND e.action = 'record_compared' AND e.happened_at <= t.recorded_at AND e.happened_at > t.recorded_at - interval '1 hour')"""
AUDITED = Audited(
    clocks=(
        ClockColumn("record_days", "leased_until", "now() + interval '2 hours'"),
        ClockColumn(
            "record_days", "read_again_at", "(t.day + 9)::timestamp AT TIME ZONE 'Asia/Jakarta'"
        ),
    ),
    # Only rows of the last days are checked: an audit runs each night, and the lines are deleted later.
    evidence=(
        MarkEvidence(
            "record_days",
            "t.ended_at > now() - interval '3 days'",
            """(SELECT count(*) FROM record_lines l WHERE l.provider = t.provider AND l.day = t.day AND l.reading = t.reading)
            + t.unreadable = t.lines""",
        ),
        MarkEvidence(
            "captures",
            "t.recorded_at > now() - interval '3 days'",
            """EXISTS (SELECT 1 FROM record_lines l WHERE l.payment = t.payment)
            OR EXISTS (SELECT 1 FROM suspense_items i WHERE i.payment = t.payment)""",
        ),
        MarkEvidence("refunds", "t.recorded_at > now() - interval '3 days'", _COMPARED),
        MarkEvidence("transfers", "t.recorded_at > now() - interval '3 days'", _COMPARED),
    ),
    shown={
        "record_days": {
            "The result of a comparison is also in the audit trail.": "provider day state source reading tries fault begun_at ended_at read_again_at lines matched unreadable broken",
        },
        "record_lines": _LINES,
        "record_files": (
            "The file that was taken in; its digest can be compared with the file by "
            "anybody who has it."
        ),
    },
)
