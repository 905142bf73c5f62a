"""Corruptions of rows of privacy, and the invariants that must find each."""

from tests.support.corrupting import corruption

PRIVACY_TRAIL = "privacy_requests_are_in_the_trail"
TOLD = "breaches_are_told_as_the_trail_says"

CORRUPTIONS = (
    corruption(
        "a request that nobody made",
        "DELETE FROM audit_events WHERE action = 'copy_asked'",
        PRIVACY_TRAIL,
    ),
    corruption(
        "somebody erased without a word",
        "DELETE FROM audit_events WHERE action = 'account_erased'",
        PRIVACY_TRAIL,
        "erased_is_what_the_trail_says",
    ),
    corruption(
        "somebody erased and there",
        "UPDATE accounts SET erased_at = NULL WHERE account_id = %(erased)s",
        PRIVACY_TRAIL,
        "erased_is_what_the_trail_says",
        "address_finds_its_account",
    ),
    corruption(
        "somebody erased who was not",
        "UPDATE accounts SET email = NULL, erased_at = now() WHERE account_id = %(account)s",
        "erased_is_what_the_trail_says",
    ),
    corruption(
        "an account that opens for nobody",
        "INSERT INTO sessions (account_id, session_id, secret_hash, created_at, expires_at, opened_with)"
        " VALUES (%(erased)s, gen_random_uuid(), sha256('a'), now(), now() + interval '1 day', 'mail')",
        "erased_is_what_the_trail_says",
    ),
    corruption(
        "an answer that came too late",
        "UPDATE privacy_requests SET answered_at = due_at + interval '1 hour' WHERE kind = 'copy'",
        "privacy_requests_are_answered_in_time",
    ),
    corruption(
        "an erasure that nobody looks at",
        "UPDATE privacy_requests SET look_at = NULL WHERE state = 'erased'",
        "privacy_requests_are_answered_in_time",
    ),
    corruption(
        "a breach that was told to nobody",
        "DELETE FROM audit_events WHERE action = 'breach_subjects_told'",
        TOLD,
    ),
    corruption(
        "a breach that was closed before it was entered",
        "UPDATE breaches SET closed_at = opened_at - interval '1 hour' WHERE state = 'closed'",
        TOLD,
    ),
    corruption(
        "a breach whose telling stands still",
        "UPDATE breaches SET subjects_from = subjects_from - interval '25 hours', subjects_told_at = NULL, state = 'open',"
        " closed_at = NULL, opened_at = opened_at - interval '26 hours' WHERE breach_id = %(told.breach)s",
        "work_is_done_in_time",
        TOLD,
    ),
    corruption(
        "a notice of a breach to whom it is not about",
        "UPDATE breaches SET accounts = ARRAY[gen_random_uuid()] WHERE breach_id = %(told.breach)s",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "a request is marked as answered",
        "UPDATE privacy_requests SET state = 'erased', ended_at = now(), look_at = NULL WHERE state NOT IN ('erased', 'swept', 'gone')",
        "privacy_requests_are_in_the_trail",
    ),
    corruption(
        "the subjects of a breach are marked as told",
        "UPDATE breaches SET subjects_from = now(), subjects_told_at = now() WHERE subjects_told_at IS NULL",
        "breaches_are_told_as_the_trail_says",
    ),
)
