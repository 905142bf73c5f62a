"""Quiet harm: due work that is never done, or a mark that wrongly says it was.

Each is planted by SQL in the database of an honest history, and must be found by a full audit without a point to compare
with.  `NOT_SEEN` has those that are not found, each with the reason.
"""

from tests.audit.corruptions import Corruption

_FAR = "now() + interval '5 years'"


_TIMES, _OF_NOBODY = "times_hide_no_work", "times_of_nobody_hide_no_work"
_MARKS, _MARKS_OF_NOBODY = "marks_have_their_evidence", "marks_of_nobody_have_their_evidence"
_LATE = "work_is_done_in_time"


def _clock(
    table: str, column: str, value: str = "'infinity'", where: str = "true", by: str = _TIMES
) -> Corruption:
    name = f"{table}.{column} is {value}" + ("" if where == "true" else f" where {where}")
    # One row; a change of all rows would be found more easily.
    one = f"SELECT ctid FROM {table} WHERE {where} LIMIT 1"
    return Corruption(
        name, f"UPDATE {table} SET {column} = {value} WHERE ctid = ({one})", frozenset({by})
    )


def _mark(name: str, sql: str, *seen_by: str) -> Corruption:
    return Corruption(name, sql, frozenset(seen_by))


_NEWS = """INSERT INTO notification_inbox (provider, external_id, sent_on, body, body_sha256, reading, outcome)
VALUES ('bank', 'QUIET', current_date, '[1]', sha256('[1]'),
    '{"status": "paid", "number": "QUIET", "reference": "QUIET"}', '%s')"""
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
        "UPDATE refunds SET state = 'sent' WHERE state = 'requested' AND way = 'provider'",
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
        "work_is_done_in_time",
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
    _mark(
        "what was told of a payment is not looked up",
        "UPDATE chargebacks SET returned_told = returned + 5000, look_at = 'infinity'",
    ),
]
# Of refunds by other ways, records, breaks and incidents.
WAYS_BACK = [
    _clock("transfers", "try_at"),
    _clock("transfers", "look_at", _FAR),
    _clock("transfers", "leased_until", "now() + interval '1 year'"),
    _mark(
        "float_balances.asked_at is 'infinity'",
        "INSERT INTO float_balances (provider, rupiah, asked_at) VALUES ('bank', 1, 'infinity')",
        _OF_NOBODY,
    ),
    _clock("payees", "ended_at", _FAR),
    _clock("compensations", "begun_at", _FAR),
    _clock("record_days", "leased_until", "now() + interval '1 year'", by=_OF_NOBODY),
    _mark(
        "audit_turn.leased_until is 'infinity'",
        "INSERT INTO audit_turn (leased_until) VALUES ('infinity')",
        _OF_NOBODY,
    ),
    _clock("rails_out", "out_at", by=_OF_NOBODY),
    _mark(
        "a transfer that was sent is never asked about",
        "UPDATE transfers SET state = 'sent', settled_at = NULL, provider_transfer_no = NULL,"
        " try_at = now() - interval '1 hour' WHERE state = 'settled'",
        _LATE,
    ),
    _mark(
        "a transfer is marked as planned again",
        "UPDATE transfers SET state = 'planned' WHERE state = 'refused'",
        "transfer_is_what_it_carries",
    ),
    _mark(
        "a buyer's account is marked as ended",
        "UPDATE payees SET ended_at = now() WHERE payee_id IN (SELECT payee_id FROM transfers WHERE state = 'settled');"
        " UPDATE payees SET named_at = now() - interval '1 day' WHERE ended_at <> now()",
        _MARKS,
    ),
    _mark(
        "a refund waits for an account, and nothing says since when",
        "UPDATE refunds SET wanted_at = NULL WHERE way = 'claim' AND state = 'requested'",
        "refund_takes_its_way",
    ),
    _mark(
        "a buyer is said to have kept a refund waiting for years",
        "UPDATE refunds SET waited_seconds = 100000000 WHERE way = 'claim'",
        "refund_takes_its_way",
    ),
    _mark(
        "money for lateness is owed no more",
        "DELETE FROM compensations",
        "entries_are_what_their_causes_make",
    ),
    _mark(
        "money for lateness is marked as sent",
        "UPDATE compensations SET transfer_id = (SELECT transfer_id FROM transfers WHERE state = 'refused')",
        "entries_are_what_their_causes_make",
        "transfer_is_what_it_carries",
    ),
    _mark(
        "a break is marked as a fee, and nothing is booked",
        "UPDATE suspense_items SET state = 'resolved', resolution = 'fee', resolved_by = 'payments', resolved_at = now(),"
        " note = 'agreed' WHERE item_id = %(open_break.item)s",
        "entries_are_what_their_causes_make",
    ),
    _mark(
        "an item in suspense is nobody's",
        "UPDATE suspense_items SET owner = '' WHERE state = 'open'",
        _MARKS_OF_NOBODY,
    ),
    _mark(
        "an item in suspense lies past its due time",
        "UPDATE suspense_items SET due_at = now() - interval '1 hour' WHERE state = 'open'",
        _LATE,
    ),
    _mark(
        "a day is marked as compared without its lines",
        "DELETE FROM record_lines",
        _MARKS_OF_NOBODY,
    ),
    _mark(
        "a payment is marked as confirmed by a record that has it not",
        "UPDATE captures SET recorded_at = now() WHERE recorded_at IS NULL AND learned_by = 'notification'",
        _MARKS,
    ),
    _mark(
        "a refund is marked as confirmed while no record was compared",
        "UPDATE refunds SET recorded_at = now() - interval '5 hours' WHERE recorded_at IS NULL AND state = 'settled'",
        _MARKS,
    ),
    _mark(
        "news of a payment is marked as known",
        _NEWS % "known",
        _MARKS_OF_NOBODY,
    ),
    _mark(
        "news of a payment is marked as kept in suspense",
        _NEWS % "suspended_reference_unknown",
        _MARKS_OF_NOBODY,
    ),
    _mark(
        "a rail is out and nobody took it out",
        "INSERT INTO rails_out (rail, reason) VALUES ('bank', 'x')",
        "rail_was_taken_out_by_an_operator",
    ),
    _mark(
        "a closed day has another sum",
        "UPDATE day_close_sums SET debit = debit + 1, closing = closing - 1 WHERE book = 'bank_clearing' AND debit > 0",
        "closes_are_as_they_were_signed",
    ),
    _mark(
        "a payout is marked as confirmed",
        "UPDATE payouts SET state = 'confirmed', ended_at = now(), paid_at = now(), bank_line = 'x', ntpn = '0A1B2C3D4E5F6G7H'"
        " WHERE state = 'sent'",
        "payouts_are_in_the_trail",
    ),
    _mark(
        "a mail about an incident is gone",
        "DELETE FROM mails WHERE cause_key LIKE 'incident_told:%'",
        _MARKS_OF_NOBODY,
    ),
    _mark(
        "mails about an incident are never written",
        "INSERT INTO incident_mailings (update_id, incident_id) SELECT update_id, incident_id FROM incident_updates LIMIT 1;"
        " UPDATE incident_updates SET at = at - interval '2 days'",
        _LATE,
    ),
    _mark(
        "a document is kept for ever past its time",
        "UPDATE documents SET kept_until = now() - interval '2 days' WHERE forgotten_at IS NULL",
        _LATE,
    ),
    _mark(
        "the account of a buyer is of nobody",
        "UPDATE payees SET holder = '' WHERE ended_at IS NULL",
        "account_of_a_payee_is_current_once",
    ),
    _mark(
        "a job can never fail for long",
        "UPDATE jobs SET tries = -1000000",
        _MARKS,
    ),
    _mark(
        "an audit is marked as clean, and there is no point",
        "INSERT INTO audit_turn (leased_until, ended_at) VALUES (now(), now())",
        _MARKS_OF_NOBODY,
    ),
    _mark(
        "a session ended before it began",
        "UPDATE sessions SET expires_at = created_at - interval '1 hour'",
        _TIMES,
    ),
]
HARM = CLOCKS + MARKS + WAYS_BACK
NOT_SEEN = {
    "what was told of a payment is not looked up": "Only the provider knows: its record is compared each night.",
}
