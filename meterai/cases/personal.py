"""What cases keep of a person."""

from collections.abc import Sequence

from meterai.cases import store
from meterai.cases.model import address_account
from meterai.plumbing.config import Settings
from meterai.plumbing.database import ReadTx
from meterai.plumbing.personal import File, Held, Kept, Person, Personal, Wait

_WHOSE = "t.account_id = ANY(%s)"


def _both(person: Person) -> Sequence[object]:
    """Cases of the account, and those that its address sent without signing in."""
    sent = [address_account(person.email)] if person.email else []
    return ([person.account, *sent],)


async def _pictures(tx: ReadTx, person: Person, _settings: Settings, most: int) -> Sequence[File]:
    """Pictures that were sent as evidence."""
    [accounts] = _both(person)
    assert isinstance(accounts, list)
    return [
        File(f"complaints/{name}.webp", content)
        for name, content in await store.pictures_of(tx, accounts, most)
    ]


PERSONAL = Personal(
    tables=(
        Held(
            table="case_messages",
            columns="message_id case_id written_at author kind words",
            inner="account_id idempotency_key request_hash",
            others="staff_id",
            whose=_WHOSE,
            named=_both,
            blanks={"words": "''"},
            kept=Kept.NUMBER,
        ),
        Held(
            table="case_pictures",
            columns="picture_id case_id added_at",
            inner="account_id webp",
            whose=_WHOSE,
            named=_both,
            deletes=True,
        ),
        Held(
            table="cases",
            columns="case_id opened_at matter about contact state answer answer_facts answered_at outcome closed_at",
            inner="account_id joins_key order_id language facts_sha256 answered_by due_at closes_at reopened_at times_told",
            others="owner_id",
            whose=_WHOSE,
            named=_both,
            blanks={"contact": "''", "answer_facts": "'{}'"},
            kept=Kept.NUMBER,
        ),
    ),
    waits=(
        Wait(
            "cases",
            "SELECT count(*) AS count, max(closes_at) AS until FROM cases WHERE account_id = ANY(%s) AND state <> 'closed'",
            _both,
        ),
    ),
    files=_pictures,
)
