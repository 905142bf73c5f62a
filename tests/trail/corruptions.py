"""Corruptions of rows of the audit trail, and the invariants that must find each."""

from tests.support.corrupting import corruption

CORRUPTIONS = (
    corruption(
        "the trail is from the future",
        "UPDATE audit_events SET happened_at = happened_at +"
        " interval '1 year' WHERE action = 'signed_in'",
        "times_hide_no_work",
    ),
    corruption(
        "the owner of an account made a key and was not told",
        "UPDATE audit_events SET actor = 'account' WHERE action = 'api_key_made'",
        "mails_are_what_their_causes_make",
    ),
)
