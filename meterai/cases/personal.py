"""Personal data of cases.

Anybody can type an address without signing in.  So a case sent this way does not delay the erasure of the account with that
address.  A copy of the personal data shows that the case exists and how it was answered.  It does not show the words of the
case, which another person may have written.
"""

from collections.abc import Sequence
from datetime import datetime

from meterai.cases import steps, store
from meterai.cases.model import address_account
from meterai.cases.settings import CaseSettings
from meterai.kit.actor import Actor, ActorKind
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.personal import CopyFile, KeepReason, Person, Personal, PersonalTable, Wait

_WHOSE = "t.account_id = ANY(%s)"


def _both(person: Person) -> Sequence[object]:
    """Return the SQL parameter that finds all cases of a person: the account, and the key of cases sent without sign-in."""
    sent = [address_account(person.email)] if person.email else []
    return ([person.account, *sent],)


async def _pictures(
    tx: ReadTx, person: Person, _settings: Settings, most: int
) -> Sequence[CopyFile]:
    """Return pictures that the account sent as evidence."""
    return [
        CopyFile(f"complaints/{name}.webp", content)
        for name, content in await store.pictures_of(tx, [person.account], most)
    ]


async def _close_unsigned(tx: Tx, person: Person, at: datetime) -> None:
    if person.email:
        # Closing a case uses no times of the settings, so the defaults are enough.
        now = steps.Moment(at, Actor(ActorKind.JOB, "cases.erase"), CaseSettings())
        await steps.close_unsigned(tx, person.email, now)


PERSONAL = Personal(
    ids={"case_id": "cas"},
    before=_close_unsigned,
    tables=(
        PersonalTable(
            table="case_messages",
            columns="message_id case_id written_at author kind",
            inner="account_id idempotency_key request_hash",
            others="staff_id words",
            also={"words": f"CASE WHEN author <> 'person' OR NOT {store.UNSIGNED} THEN words END"},
            whose=_WHOSE,
            named=_both,
            blanks={"words": "''"},
            kept=KeepReason.NUMBER,
        ),
        PersonalTable(
            table="case_pictures",
            columns="picture_id case_id added_at",
            inner="account_id webp",
            whose=_WHOSE,
            named=_both,
            deletes=True,
        ),
        PersonalTable(
            table="cases",
            columns="case_id opened_at matter about contact state answer answer_facts answered_at outcome closed_at",
            inner="account_id joins_key order_id language facts_sha256 answered_by due_at closes_at reopened_at times_told",
            others="owner_id",
            whose=_WHOSE,
            named=_both,
            blanks={"contact": "''", "answer_facts": "'{}'"},
            kept=KeepReason.NUMBER,
        ),
    ),
    waits=(
        Wait(
            "cases",
            "SELECT count(*) AS count, max(closes_at) AS until FROM cases WHERE account_id = %s AND state <> 'closed'",
        ),
    ),
    files=_pictures,
)
