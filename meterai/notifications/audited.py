"""What the audit knows of the columns of notifications."""

from meterai.plumbing.audited import WORK, Audited, fact

AUDITED = Audited(
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
            "try_at": ("no_mail_late",),
        },
    },
    unchecked={
        "mails": {
            "facts": "What a mail says beside the words for its cause; it leaves within seconds.",
            "network": WORK,
            "turn_at": WORK,
            "state": "Whether it was sent, which only the mail server knows; that it was written is a "
            "demand of what it is about.",
            "tries": WORK,
            "last_fault": WORK,
        },
    },
    of_accounts=("mails",),
)
