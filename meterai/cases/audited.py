"""Columns of cases, as the audit knows them."""

from meterai.plumbing.db.audited import SHOWN, Audited, Clock, Due, fact

_TRAIL = ("case_moves_are_in_the_trail",)
_TIMES = ("case_times_are_possible",)
_NAMED = ("answers_from_facts_name_them",)
AUDITED = Audited(
    clocks=(
        Clock("cases", "due_at", "now() + interval '30 days'"),
        Clock("cases", "closes_at", "now() + interval '100 days'"),
    ),
    dues=(Due("cases", "t.closes_at", "t.state IN ('answered', 'asked')", "interval '1 hour'"),),
    facts=(
        fact("cases", "opened_at", "case_id matter about order_id language joins_key"),
        fact("case_messages", "written_at", "case_id message_id author kind staff_id"),
    ),
    checked={
        "cases": {
            "state": _TRAIL,
            "owner_id": _TRAIL,
            "outcome": _TRAIL,
            "answer": _NAMED,
            "facts_sha256": _NAMED,
            "answered_at": _NAMED,
            "answered_by": _NAMED,
            "due_at": _TIMES,
            "closes_at": ("work_is_done_in_time",),
            "closed_at": _TIMES,
            "reopened_at": _TIMES,
            "times_told": _TIMES,
        },
        "case_pictures": {
            "account_id": ("messages_of_cases_are_bounded",),
            "case_id": ("messages_of_cases_are_bounded",),
        },
    },
    unchecked={
        "cases": {"contact": SHOWN, "answer_facts": SHOWN},
        "case_messages": {
            "words": SHOWN,
            "idempotency_key": "A repeat is the same complaint; money and stamps are not moved by one.",
            "request_hash": "With its key.",
        },
        "case_pictures": {
            "picture_id": SHOWN,
            "webp": SHOWN,
            "added_at": "When it leaves (retention).",
        },
    },
    of_accounts=("cases", "case_messages", "case_pictures"),
)
