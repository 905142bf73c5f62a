"""What the audit knows of the columns of notifications."""

from meterai.plumbing.audited import WORK, Audited, Clock, Evidence, fact

AUDITED = Audited(
    clocks=(
        Clock("mails", "try_at", "now() + interval '30 minutes'"),
        Clock("mails", "turn_at", "now() + interval '1 day'"),
    ),
    evidence=(
        Evidence("mails", "t.state = 'sent'", "t.sent_at IS NOT NULL AND t.tries > 0"),
        Evidence("mails", "t.sent_at IS NOT NULL", "t.state = 'sent'"),
        Evidence("mails", "t.state = 'given_up'", "t.tries > 0"),
    ),
    facts=(
        # A mail that was given up may be queued again, with another time; one that was sent may not.
        fact(
            "mails",
            "sent_at",
            "mail_id cause_key template language queued_at",
            only="t.sent_at IS NOT NULL AND t.template <> 'sign_in_code'",
        ),
    ),
    checked={
        "mails": {
            "recipient": ("mails_are_what_their_causes_make",),
            "state": ("marks_have_their_evidence",),
            "tries": ("marks_have_their_evidence",),
            "try_at": ("no_mail_late", "times_hide_no_work"),
        },
    },
    unchecked={
        "mails": {
            "facts": "What a mail says beside the words for its cause; it leaves within seconds.",
            "network": WORK,
            "turn_at": WORK,
            "last_fault": WORK,
        },
    },
    of_accounts=("mails",),
)
