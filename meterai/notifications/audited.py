"""Rules by which the audit checks the columns of the tables of notifications."""

from meterai.plumbing.db.audited import WORK, Audited, ClockColumn, DueWork, MarkEvidence, fact

AUDITED = Audited(
    clocks=(
        ClockColumn("mails", "try_at", "now() + interval '30 minutes'"),
        ClockColumn("mails", "turn_at", "now() + interval '1 day'"),
    ),
    dues=(DueWork("mails", "t.try_at", "t.state = 'queued'"),),
    evidence=(
        MarkEvidence("mails", "t.state = 'sent'", "t.sent_at IS NOT NULL AND t.tries > 0"),
        MarkEvidence(
            "mails", "t.sent_at IS NOT NULL", "t.state = 'sent' AND t.sent_at >= t.queued_at"
        ),
        MarkEvidence("mails", "t.state = 'given_up'", "t.tries > 0"),
    ),
    facts=(
        # The time at which a mail was queued is fixed only for sent mails: a given-up mail may be queued again.
        fact(
            "mails",
            "sent_at",
            "mail_id cause_key template language queued_at",
            only="t.sent_at IS NOT NULL AND t.template <> 'sign_in_code'",
        ),
    ),
    shown={
        "mails": {
            "Values in the text of a mail; a mail is sent within seconds.": "facts",
            WORK: "network turn_at last_fault",
        },
    },
    of_accounts=("mails",),
)
