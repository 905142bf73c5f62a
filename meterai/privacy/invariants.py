"""Invariants of data requests and breaches."""

from meterai.plumbing.db.invariants import AHEAD, Invariant, MailCause
from meterai.privacy.model import CopyState, ErasureState

_NOBODY = "'00000000-0000-0000-0000-000000000000'"

# States of a request, each with the action in the audit trail that led to it.
_ACTS = (
    ("true", "kind || '_asked'"),
    ("kind = 'copy' AND state <> 'asked'", "'copy_made'"),
    ("state = 'withdrawn'", "'erasure_withdrawn'"),
    ("state IN ('erased', 'swept')", "'account_erased'"),
)
_UNTOLD = " OR ".join(
    f"({when} AND NOT EXISTS (SELECT 1 FROM {{audit_events*}} e WHERE e.account_id = r.account_id"
    f" AND e.subject = 'prv_' || lower(compact(r.request_id)) AND e.action = {action}))"
    for when, action in _ACTS
)
_STATES = ", ".join(f"'{one}'" for one in (*CopyState, *ErasureState))
# Columns of a breach, each with the action in the audit trail that wrote it.
_TOLD = {
    "opened_at": "breach_opened",
    "agency_told_at": "breach_agency_told",
    "subjects_from": "breach_subjects_telling",
    "subjects_told_at": "breach_subjects_told",
    "closed_at": "breach_closed",
}
_OTHERWISE = " OR ".join(
    f"({column} IS NOT NULL) <> EXISTS (SELECT 1 FROM audit_events e WHERE e.account_id = {_NOBODY}"
    f" AND e.action = '{action}' AND e.subject = 'brc_' || lower(compact(b.breach_id)))"
    for column, action in _TOLD.items()
)

MAIL_CAUSES = (
    MailCause(
        """
        SELECT account_id, subject || ':' || substring(action FROM '[a-z]+$'), action, NULL, NULL::timestamptz, NULL
        FROM {audit_events*} e
        WHERE action IN ('copy_made', 'erasure_asked', 'erasure_withdrawn', 'account_erased')
        UNION ALL
        SELECT a.account_id, 'breach_told:' || b.breach_id, 'breach_told', NULL, NULL, NULL
        FROM {accounts*} a JOIN breaches b ON b.subjects_from IS NOT NULL
            AND (b.accounts IS NULL OR a.account_id = ANY (b.accounts))
        """,
    ),
)

INVARIANTS = (
    Invariant(
        "privacy_requests_are_in_the_trail",
        "Every step of a request about personal data is recorded in the audit trail, and every "
        "ended request has its time of ending.",
        f"""
        SELECT r.account_id, r.request_id, r.state, r.ended_at FROM {{privacy_requests*}} r
        WHERE {_UNTOLD} OR r.state NOT IN ({_STATES}) OR r.ended_at < r.asked_at OR r.ended_at > now() + {AHEAD}
            OR (r.state IN ('erased', 'swept') AND (r.ended_at < r.acts_at OR NOT EXISTS (
                SELECT 1 FROM {{accounts*}} a WHERE a.account_id = r.account_id AND a.erased_at IS NOT NULL)))
        """,
    ),
    Invariant(
        "privacy_requests_are_answered_in_time",
        "Every request is answered within 3 x 24 hours, and a waiting request has a time for its "
        "next check.",
        """
        SELECT account_id, request_id, kind, state, due_at, look_at FROM privacy_requests
        WHERE coalesce(answered_at, now()) > due_at OR answered_at < asked_at
            OR (look_at IS NULL) <> (state IN ('gone', 'swept', 'withdrawn'))
        """,
    ),
    Invariant(
        "breaches_are_told_as_the_trail_says",
        "The entry, notification and closing of a breach are at the times in the audit trail, "
        "and nobody is notified after the closing.",
        f"""
        SELECT b.breach_id, b.state, b.agency_told_at, b.subjects_told_at, b.closed_at FROM breaches b
        WHERE {_OTHERWISE} OR (b.state = 'open') <> (b.closed_at IS NULL) OR b.state NOT IN ('open', 'closed')
            OR b.known_at > b.opened_at + {AHEAD} OR b.closed_at < b.opened_at
            OR b.agency_told_at < b.opened_at OR b.subjects_from < b.opened_at
        """,
    ),
)
