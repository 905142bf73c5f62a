"""Invariants of cases."""

from meterai.plumbing.db.invariants import Invariant, MailCause

# Conditions on a case, each with acts of the audit trail; at least one of these acts must exist.
_IN_TRAIL = (
    ("true", "'case_opened'"),
    ("c.answer IS NOT NULL", "'case_answered_from_facts', 'case_money_back'"),
    ("c.state = 'answered'", "'case_answered_from_facts', 'case_answered'"),
    ("c.state = 'asked'", "'case_asked'"),
    ("c.outcome = 'accepted'", "'case_accepted'"),
    ("c.outcome = 'money_back'", "'case_money_back'"),
    ("c.outcome = 'silent'", "'case_time_ran_out'"),
    ("c.outcome IN ('solved', 'explained', 'not_ours')", "'case_closed'"),
    ("c.reopened_at IS NOT NULL", "'case_reopened'"),
    ("c.owner_id IS NOT NULL", "'case_owned'"),
)
_UNTOLD = " OR ".join(
    f"({when} AND NOT EXISTS (SELECT 1 FROM audit_events e WHERE e.account_id = c.account_id"
    f" AND e.subject = 'cas_' || lower(compact(c.case_id)) AND e.action IN ({actions})))"
    for when, actions in _IN_TRAIL
)
MAIL_CAUSES = (
    MailCause(
        """
        SELECT account_id, 'case_received:' || case_id, 'case_received', contact, NULL::timestamptz, NULL
        FROM {cases*} k
        UNION ALL
        SELECT w.account_id, says.template || ':' || w.message_id, says.template, k.contact, NULL, NULL
        FROM {case_messages*} w JOIN {cases*} k ON k.account_id = w.account_id AND k.case_id = w.case_id
        JOIN (VALUES ('facts', 'answer', 'case_answered_from_facts'), ('facts', 'answer', 'case_closed'),
                     ('staff', 'answer', 'case_answered'), ('staff', 'question', 'case_asked'),
                     ('staff', 'closing', 'case_closed')) AS says (author, kind, template)
            ON says.author = w.author AND says.kind = w.kind
        """,
    ),
)

INVARIANTS = (
    Invariant(
        "case_moves_are_in_the_trail",
        "Every event of a case is recorded in the audit trail.",
        f"SELECT c.account_id, c.case_id, c.state FROM cases c WHERE {_UNTOLD}"
        " OR c.state NOT IN ('open', 'answered', 'asked', 'closed') OR c.outcome NOT IN"
        " ('accepted', 'money_back', 'silent', 'solved', 'explained', 'not_ours')",
    ),
    Invariant(
        "case_times_are_possible",
        "A case is due, ends and is reopened only after it began; a closed case has its time of "
        "closing.",
        "SELECT account_id, case_id, state FROM cases WHERE due_at < opened_at OR closes_at < opened_at"
        " OR closed_at < opened_at OR reopened_at < opened_at OR answered_at < opened_at"
        " OR (state = 'closed') <> (closed_at IS NOT NULL) OR times_told < 1",
    ),
    Invariant(
        "answers_from_facts_name_them",
        "An automatic answer names its order or stamping, and has a digest of the facts from "
        "which it was made.",
        "SELECT account_id, case_id, answer FROM cases WHERE (answer IS NOT NULL) <> (facts_sha256 IS NOT NULL)"
        " OR (answer IS NOT NULL AND (about = '' OR answered_at IS NULL OR octet_length(facts_sha256) <> 32))"
        " OR (state = 'answered' AND answered_by IS NULL) OR answered_by NOT IN ('facts', 'staff')",
    ),
    Invariant(
        "cases_are_what_was_said",
        "Every case has a first message; a case about an order names that order, and the key by "
        "which cases are joined is made of its subject and matter.",
        "SELECT c.account_id, c.case_id, c.about FROM cases c"
        " WHERE NOT EXISTS (SELECT 1 FROM case_messages m WHERE m.account_id = c.account_id"
        " AND m.case_id = c.case_id AND m.kind = 'complaint')"
        " OR (c.order_id IS NOT NULL AND c.about <> 'ord_' || lower(compact(c.order_id)))"
        " OR c.joins_key <> CASE WHEN c.about = '' THEN '' ELSE c.about || ':' || c.matter END",
    ),
    Invariant(
        "messages_of_cases_are_bounded",
        "No case has more messages or pictures than the limit, and each picture belongs to a case.",
        "SELECT account_id, case_id, count(*) FROM case_messages GROUP BY account_id, case_id HAVING count(*) > 80"
        " UNION ALL"
        " SELECT account_id, case_id, count(*) FROM case_pictures GROUP BY account_id, case_id HAVING count(*) > 3"
        " UNION ALL"
        " SELECT p.account_id, p.case_id, 1 FROM case_pictures p WHERE NOT EXISTS (SELECT 1 FROM cases c"
        " WHERE c.account_id = p.account_id AND c.case_id = p.case_id)",
    ),
)
