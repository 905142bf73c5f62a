"""Corruptions of rows of cases, and the invariants that must find each."""

from tests.support.corrupting import corruption

CASE_TRAIL = "case_moves_are_in_the_trail"
CASE_TIMES = "case_times_are_possible"

CORRUPTIONS = (
    corruption(
        "a case that nobody opened",
        "DELETE FROM audit_events WHERE action = 'case_opened'",
        CASE_TRAIL,
    ),
    corruption(
        "a case is somebody's without a word",
        "UPDATE cases SET owner_id = gen_random_uuid() WHERE case_id = %(answered.case)s",
        CASE_TRAIL,
    ),
    corruption(
        "a case was closed by nobody",
        "UPDATE cases SET state = 'closed', outcome = 'solved', closed_at = now(), closes_at = NULL"
        " WHERE case_id = %(answered.case)s",
        CASE_TRAIL,
    ),
    corruption(
        "a case was opened again by nobody",
        "UPDATE cases SET reopened_at = now() WHERE case_id = %(accepted.case)s",
        CASE_TRAIL,
    ),
    corruption(
        "a case that was due before it began",
        "UPDATE cases SET due_at = opened_at - interval '1 hour' WHERE state = 'open'",
        CASE_TIMES,
    ),
    corruption(
        "a case that was closed before it began",
        "UPDATE cases SET closed_at = opened_at - interval '1 hour' WHERE state = 'closed'",
        CASE_TIMES,
    ),
    corruption(
        "a case that waits for ever",
        "UPDATE cases SET opened_at = now() - interval '20 days', closes_at = now() - interval '2 days'"
        " WHERE case_id = %(asked_back.case)s",
        "work_is_done_in_time",
    ),
    corruption(
        "an answer from no facts",
        "UPDATE cases SET facts_sha256 = NULL WHERE case_id = %(answered.case)s",
        "answers_from_facts_name_them",
    ),
    corruption(
        "a case of another order than it names",
        "UPDATE cases SET order_id = %(asked.order)s WHERE case_id = %(answered.case)s",
        "cases_are_what_was_said",
    ),
    corruption(
        "a complaint without its words",
        "DELETE FROM case_messages WHERE case_id = %(answered.case)s",
        "cases_are_what_was_said",
    ),
    corruption(
        "more pictures than a case keeps",
        "INSERT INTO case_pictures SELECT account_id, case_id, gen_random_uuid(), webp, added_at"
        " FROM case_pictures, generate_series(1, 3)",
        "messages_of_cases_are_bounded",
    ),
    corruption(
        "an answer of a case to somebody else",
        "UPDATE mails SET recipient = 'else@example.org' WHERE template = 'case_received'",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "a case is marked as answered",
        "UPDATE cases SET state = 'answered', answered_at = now(), answered_by = 'staff', due_at = NULL, closes_at = now() + interval '9 days' WHERE state = 'open'",
        "case_moves_are_in_the_trail",
    ),
)
