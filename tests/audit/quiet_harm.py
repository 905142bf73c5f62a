"""Quiet harm: nothing is taken, and work that is due is never done, or a mark says that it was.

Each is planted by direct SQL in the database of an honest history, and a full audit that has no point to compare with
shall notice it.  `NOT_SEEN` has those that it does not, each with the reason.
"""

from tests.audit.corruptions import NIL, Corruption

_FAR = "now() + interval '5 years'"


_TIMES, _OF_NOBODY, _MARKS = (
    "times_hide_no_work",
    "times_of_nobody_hide_no_work",
    "marks_have_their_evidence",
)


def _clock(
    table: str, column: str, value: str = "'infinity'", where: str = "true", by: str = _TIMES
) -> Corruption:
    name = f"{table}.{column} is {value}" + ("" if where == "true" else f" where {where}")
    # One row: what all rows have is found more easily.
    one = f"SELECT ctid FROM {table} WHERE {where} LIMIT 1"
    return Corruption(
        name, f"UPDATE {table} SET {column} = {value} WHERE ctid = ({one})", frozenset({by})
    )


def _mark(name: str, sql: str, *seen_by: str) -> Corruption:
    return Corruption(name, sql, frozenset(seen_by))


CLOCKS = [
    # payments
    _clock("payment_attempts", "ask_at", where="state = 'waiting'"),
    _clock("payment_attempts", "ask_at", where="state = 'paid'"),
    _clock("payment_attempts", "ask_at", _FAR),
    _clock("payment_attempts", "cancel_at", where="state = 'lost'", by=_MARKS),
    _clock("payment_attempts", "cancel_at", _FAR),
    _clock("payment_attempts", "leased_until"),
    _clock("payment_attempts", "leased_until", "now() + interval '1 year'"),
    _clock("payment_attempts", "answered_at", _FAR),
    _clock("captures", "confirmed_at"),
    _clock("chargebacks", "last_told_at"),
    # refunds
    _clock("refunds", "try_at"),
    _clock("refunds", "look_at"),
    _clock("refunds", "leased_until", "now() + interval '1 year'"),
    _clock("refunds", "tried_at", _FAR),
    # orders and stamps
    _clock("orders", "due_at", where="state = 'paid'"),
    _clock("orders", "lapses_at", where="state = 'placed'"),
    _clock("orders", "returning_due_at", _FAR, "state = 'returning'"),
    _clock("stampings", "due_at", where="state = 'reserved'"),
    _clock("stampings", "leased_until", "now() + interval '1 year'"),
    _clock("serial_leases", "held_until", by=_OF_NOBODY),
    _clock("stamps", "reserved_at", _FAR),
    # suspense
    _clock("suspense_items", "due_at", where="state = 'open'", by=_OF_NOBODY),
    _clock("suspense_items", "told_at", by=_OF_NOBODY),
    # mails and jobs
    _clock("mails", "try_at", where="state = 'queued'"),
    _clock("mails", "queued_at", _FAR),
    # accounts and approvals
    _clock("sessions", "expires_at"),
    _clock("sessions", "last_used_at"),
    _clock("api_keys", "expires_at", "now() + interval '20 years'"),
    _clock("invitations", "expires_at"),
    _clock("approvals", "expires_at", where="state = 'waiting'", by=_OF_NOBODY),
    _clock("passkeys", "last_used_at"),
    # documents and drafts
    _clock("documents", "kept_until"),
    _clock("drafts", "expires_at", by=_OF_NOBODY),
    _clock("draft_files", "leased_until", "now() + interval '1 year'", by=_OF_NOBODY),
    _clock("object_store", "claimed_at", by=_OF_NOBODY),
    # people's complaints and their data
    _clock("cases", "due_at", where="state = 'open'"),
    _clock("cases", "closes_at", where="state IN ('answered', 'asked')"),
    _clock("privacy_requests", "look_at", where="look_at IS NOT NULL"),
    _clock("privacy_requests", "acts_at", where="acts_at IS NOT NULL"),
    _clock("cases", "answered_at", _FAR, "answered_at IS NOT NULL"),
    # the installation
    _clock("incidents", "ends_at", where="ends_at IS NOT NULL", by=_OF_NOBODY),
    _clock("outages", "proposed_at", by=_OF_NOBODY),
    _clock("recoveries", "looked_at", by=_OF_NOBODY),
    _clock("waiting_room_lines", "opens_at", by=_OF_NOBODY),
    _clock("waiting_room_lines", "closes_at", _FAR, by=_OF_NOBODY),
    _clock("waiting_room_places", "told_at"),
    _clock("waiting_room_draws", "announced_at", _FAR, by=_OF_NOBODY),
    _clock("audit_events", "happened_at"),
]
MARKS = [
    _mark(
        "a mail is marked as sent",
        "UPDATE mails SET state = 'sent', sent_at = now() WHERE state = 'queued'",
        _MARKS,
    ),
    _mark(
        "a mail is given up that nobody tried",
        "UPDATE mails SET state = 'given_up' WHERE state = 'queued' AND tries = 0",
        _MARKS,
    ),
    _mark(
        "an owed mail is gone",
        "DELETE FROM mails WHERE cause_key = 'order_executed:' || %(quota.order)s",
        "mails_are_what_their_causes_make",
    ),
    _mark(
        "a QR is marked as taken back",
        "UPDATE payment_attempts SET cancel_at = 'infinity' WHERE state IN ('lost', 'expired', 'declined') AND instructions IS NOT NULL AND cancel_tries = 0",
        _MARKS,
    ),
    _mark(
        "a QR that can be paid is marked as ended",
        "UPDATE payment_attempts SET cancel_at = 'infinity' WHERE state = 'waiting'",
        _MARKS,
        _TIMES,
    ),
    _mark(
        "a question was asked a million times",
        "UPDATE payment_attempts SET asked = 1000000 WHERE state = 'waiting'",
        _MARKS,
    ),
    _mark(
        "an answer came to no question",
        "UPDATE payment_attempts SET asked = 0, answered_at = now() WHERE state = 'waiting'",
        _MARKS,
    ),
    _mark(
        "an order is due later, and its terms say so",
        "UPDATE orders SET due_seconds = due_seconds + 31536000, due_at = due_at + interval '1 year' WHERE state = 'paid'",
        _TIMES,
    ),
    _mark(
        "a document is forgotten with its object there",
        "UPDATE documents SET forgotten_at = now() WHERE forgotten_at IS NULL AND account_id = %(account)s",
        _MARKS,
    ),
    _mark(
        "a refund is marked as sent",
        "UPDATE refunds SET state = 'sent' WHERE state = 'requested'",
        "refund_times_are_possible",
    ),
    _mark(
        "a key says that its end was told",
        "UPDATE api_keys SET end_told_at = now() WHERE end_told_at IS NULL",
        _MARKS,
    ),
    _mark(
        "a request is marked as answered",
        "UPDATE privacy_requests SET state = 'erased', ended_at = now(), look_at = NULL WHERE state NOT IN ('erased', 'swept', 'gone')",
        "privacy_requests_are_in_the_trail",
    ),
    _mark(
        "the subjects of a breach are marked as told",
        "UPDATE breaches SET subjects_from = now(), subjects_told_at = now() WHERE subjects_told_at IS NULL",
        "breaches_are_told_as_the_trail_says",
    ),
    _mark(
        "a case is marked as answered",
        "UPDATE cases SET state = 'answered', answered_at = now(), answered_by = 'staff', due_at = NULL, closes_at = now() + interval '9 days' WHERE state = 'open'",
        "case_moves_are_in_the_trail",
    ),
    _mark(
        "an item in suspense is marked as explained",
        "UPDATE suspense_items SET state = 'resolved', resolution = 'explained', resolved_by = 'operator:x', resolved_at = now() WHERE state = 'open'",
        "suspense_ends_by_somebody",
    ),
    _mark(
        "a job that moves money is gone",
        "DELETE FROM jobs WHERE kind = 'payment_captured'",
        "no_money_lies_about",
    ),
    _mark(
        "an approval is marked as expired",
        "UPDATE approvals SET state = 'expired', decided_at = now() WHERE state = 'waiting'",
        "approval_is_in_the_trail",
    ),
    _mark(
        "a serial is in no directory",
        "DELETE FROM serial_directory WHERE serial IN (SELECT serial FROM stamps WHERE state = 'affixed')",
        "serial_directory_agrees",
    ),
    _mark(
        "a stamping has no lease",
        "UPDATE stampings SET leased_until = NULL WHERE state = 'reserved'",
        "no_stamping_past_its_due_time",
    ),
    _mark(
        "an incident is marked as over",
        "UPDATE incidents SET state = 'resolved', resolved_at = now(), updated_at = now() WHERE kind = 'incident' AND state NOT IN ('resolved', 'reviewed')",
        "incident_states_are_their_updates",
    ),
    _mark(
        "the owner of an account made a key and was not told",
        "UPDATE audit_events SET actor = 'account' WHERE action = 'api_key_made'",
        "mails_are_what_their_causes_make",
    ),
    _mark("a mail to a subscriber is gone", f"DELETE FROM mails WHERE account_id = {NIL}"),
    _mark(
        "what was told of a payment is not looked up",
        "UPDATE chargebacks SET returned_told = returned + 5000, look_at = 'infinity'",
    ),
]
HARM = CLOCKS + MARKS
NOT_SEEN = {
    "a mail to a subscriber is gone": "Who subscribed has no account, and the notes that were mailed are no causes yet.",
    "what was told of a payment is not looked up": "Only the provider knows: its record is compared each night.",
}
