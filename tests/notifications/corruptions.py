"""Corruptions of rows of mails, and the invariants that must find each."""

from tests.support.corrupting import MARKS, MARKS_OF_NOBODY, corruption

CORRUPTIONS = (
    corruption(
        "an executed order was not told",
        "DELETE FROM mails WHERE cause_key = 'order_executed:' || %(quota.order)s",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "a stamped document was not told",
        "DELETE FROM mails WHERE cause_key = 'stamping_delivered:' || %(one.stamping)s",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "a failed document was not told",
        "DELETE FROM mails WHERE cause_key = 'stamping_failed:' || %(failed.stamping)s",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "a requested refund was not told",
        "DELETE FROM mails WHERE cause_key = 'refund_requested:' || %(asked.refund)s",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "a settled refund was not told",
        "DELETE FROM mails WHERE cause_key = 'refund_settled:' || %(returned.refund)s",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "a mail about nothing",
        "INSERT INTO mails (account_id, mail_id, cause_key, template,"
        " language, recipient, facts) SELECT account_id, gen_random_uuid(), 'refund_settled:' ||"
        " gen_random_uuid(), template, language, recipient, facts FROM mails WHERE mail_id ="
        " %(mail)s",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "a mail goes to somebody else",
        "UPDATE mails SET recipient = 'else@example.org' WHERE mail_id = %(mail)s",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "a mail says something else",
        "UPDATE mails SET template = 'refund_settled' WHERE cause_key"
        " = 'refund_requested:' || %(asked.refund)s",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "nobody sends a mail",
        "UPDATE mails SET try_at = now() - interval '1 hour' WHERE state = 'queued'",
        "work_is_done_in_time",
    ),
    corruption(
        "a mail is put off for a year",
        "UPDATE mails SET try_at = now() + interval '1 year' WHERE state = 'queued'",
        "times_hide_no_work",
    ),
    corruption(
        "a mail was sent before it was written",
        "UPDATE mails SET sent_at = queued_at - interval '1 day' WHERE mail_id = %(mail)s",
        "marks_have_their_evidence",
    ),
    corruption(
        "an invitation was mailed to another",
        "UPDATE mails SET recipient = 'maling@example.id' WHERE template = 'invitation_made'",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "a mail is marked as sent",
        "UPDATE mails SET state = 'sent', sent_at = now() WHERE state = 'queued'",
        MARKS,
    ),
    corruption(
        "a mail is given up that nobody tried",
        "UPDATE mails SET state = 'given_up' WHERE state = 'queued' AND tries = 0",
        MARKS,
    ),
    corruption(
        "an owed mail is gone",
        "DELETE FROM mails WHERE cause_key = 'order_executed:' || %(quota.order)s",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "a mail about an incident is gone",
        "DELETE FROM mails WHERE cause_key LIKE 'incident_told:%'",
        MARKS_OF_NOBODY,
    ),
)
