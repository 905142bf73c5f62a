"""Personal data of the waiting room."""

from collections.abc import Sequence
from uuid import UUID

from meterai.kit.refusal import NotFound
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.personal import (
    Consent,
    Consents,
    KeepReason,
    Person,
    Personal,
    PersonalTable,
)
from meterai.plumbing.work.retention import HALF_YEAR
from meterai.waiting_room import store


async def _consents(tx: ReadTx, person: Person) -> Sequence[Consent]:
    return [
        Consent("turn_near", str(one.line), one.name, one.since)
        for one in await store.wishes(tx, person.account)
    ]


async def _withdraw(tx: Tx, person: Person, which: str) -> None:
    """Withdraw the consent to a mail about a near turn; `which` is the id of the waiting line.  Refuses `NotFound`."""
    for one in await store.wishes(tx, person.account):
        if str(one.line) == which:
            await store.set_wants_mail(tx, person.account, UUID(which), False)  # noqa: FBT003
            return
    raise NotFound("no such consent")


PERSONAL = Personal(
    tables=(
        PersonalTable(
            table="waiting_room_places",
            columns="line_id number taken_at kept_at wants_mail told_at",
            inner="account_id shown_low shown_high serial since",
            hidden="holder",
            kept=KeepReason.BRIEFLY,
            since="t.kept_at",
            keeps=HALF_YEAR,
        ),
        PersonalTable(
            table="waiting_room_turns",
            columns="line_id number taken_at admitted_at ended_at",
            inner="used_by shown_low shown_high waited called_with",
            hidden="holder",
            whose="t.used_by = %s",
            kept=KeepReason.BRIEFLY,
            since="t.admitted_at",
            keeps=HALF_YEAR,
        ),
    ),
    consents=Consents(_consents, _withdraw),
)
