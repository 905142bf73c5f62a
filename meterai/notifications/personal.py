"""What notifications keep of a person."""

from meterai.plumbing.personal import Held, Kept, Personal, by_account_and_organizations

PERSONAL = Personal(
    recipients=("mail",),
    tables=(
        Held(
            table="mails",
            columns="mail_id queued_at template language recipient state sent_at",
            inner="account_id cause_key try_at tries last_fault network turn_at",
            others="facts",  # an organization's mails name its members
            # Its own, and those of its organizations that came to its address.
            whose="(t.account_id = ANY(%s) OR (t.account_id = ANY(%s) AND t.recipient = %s))",
            named=by_account_and_organizations,
            blanks={"recipient": "''", "facts": "'{}'", "last_fault": "NULL"},
            only="t.state <> 'queued' AND t.recipient <> ''",
            kept=Kept.PROOF,
        ),
    ),
)
