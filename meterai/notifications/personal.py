"""Personal data in mails."""

from collections.abc import Sequence
from datetime import datetime

from meterai.notifications import store
from meterai.plumbing.db.database import Tx
from meterai.plumbing.db.personal import KeepReason, Person, Personal, PersonalTable


def _account_and_address(person: Person) -> Sequence[object]:
    return (person.account, person.email)


async def _forget_queued(tx: Tx, person: Person, _at: datetime) -> None:
    """Delete queued mails to the person's address that belong to other accounts. The sweeps that follow the
    erasure cannot find these mails, since by then the account's address is deleted.
    """
    if person.email:
        await store.forget_queued_to(tx, person.account, person.email)


PERSONAL = Personal(
    recipients=("mail",),
    before=_forget_queued,
    tables=(
        PersonalTable(
            table="mails",
            columns="mail_id queued_at template language recipient state sent_at",
            inner="account_id cause_key try_at tries last_fault network turn_at",
            others="facts",  # mails of an organization name its members
            # Mails of the account, and all mails to its address (of organizations, invitations, and
            # without an account).
            whose="(t.account_id = %s OR (t.recipient = %s AND t.recipient <> ''))",
            named=_account_and_address,
            blanks={"recipient": "''", "facts": "'{}'", "last_fault": "NULL"},
            only="t.state <> 'queued' AND t.recipient <> ''",
            kept=KeepReason.PROOF,
        ),
    ),
)
