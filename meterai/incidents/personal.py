"""Personal data of incidents: addresses subscribed to mails about them."""

from collections.abc import Sequence
from uuid import UUID

from meterai.incidents import store
from meterai.kit.refusal import NotFound
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.personal import Basis, Consent, Consents, Person, Personal, PersonalTable


async def _given(tx: ReadTx, person: Person) -> Sequence[Consent]:
    found = await store.subscriber_of(tx, person.email)
    if found is None or found.confirmed_at is None:
        return ()
    return [Consent("incident_news", str(found.id), found.email, found.confirmed_at)]


async def _withdraw(tx: Tx, person: Person, which: str) -> None:
    """End the subscription of a person; `which` is the id of the subscription.  Refuses `NotFound`."""
    found = await store.subscriber_of(tx, person.email)
    if found is None or str(found.id) != which:
        raise NotFound("no such consent")
    await store.unsubscribe(tx, UUID(which))


PERSONAL = Personal(
    ids={"subscriber_id": "sub"},
    basis=Basis.CONSENT,
    tables=(
        PersonalTable(
            table="incident_subscribers",
            columns="subscriber_id email language asked_at confirmed_at",
            whose="t.email = %s",
            named=lambda person: (person.email,),
            deletes=True,
        ),
    ),
    consents=Consents(_given, _withdraw),
)
