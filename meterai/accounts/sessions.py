"""Sessions: beginning and ending one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meterai import audit
from meterai.accounts import store
from meterai.accounts.addresses import account_of_address
from meterai.accounts.model import CodeSpent, Credential, session_digest
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id, show
from meterai.plumbing.database import Tx

SESSION_KIND = "ses"
PERSON = Actor(ActorKind.ACCOUNT)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a browser keeps after signing in: the texts of two cookies, and how long the first."""

    session: str
    life_seconds: float
    device: str


async def begin_session(
    tx: Tx,
    challenge: UUID,
    email: str,
    language: str,
    *,
    at: datetime,
    until: datetime,
    again_since: datetime | None = None,
) -> Credential:
    """A session for the address whose code was right; its account is made if it is new.

    Refuses `CodeSpent` where another request used the code, and not after `again_since`.
    """
    if not await store.use_challenge(tx, challenge, at, again_since):
        raise CodeSpent("the code was used")
    account = await account_of_address(tx, email, language, actor=PERSON)
    return await open_session(tx, account, until, actor=PERSON)


async def open_session(
    tx: Tx, account: UUID, until: datetime, *, actor: Actor, **by: str
) -> Credential:
    """A new session of an account that somebody proved to be theirs, always with a secret of its
    own; `by` says in the trail with what, where it was no mail.
    """
    session = Credential.fresh(account, new_id())
    await store.insert_session(tx, account, session.id, session.hash(), until)
    await audit.record(
        tx,
        account,
        actor=actor,
        action="signed_in",
        subject=show(SESSION_KIND, session.id),
        digest=session_digest(session.hash()),
        until=until.isoformat(),
        **by,
    )
    return session


async def end_session(tx: Tx, session: Credential, *, at: datetime) -> None:
    """End a session; nothing happens where the credential opens none."""
    found = await store.session(tx, session.account, session.id)
    if found is None or not session.opens(found.secret_hash):
        return
    if await store.end_session(tx, session.account, session.id, at):
        await audit.record(
            tx,
            session.account,
            actor=PERSON,
            action="signed_out",
            subject=show(SESSION_KIND, session.id),
        )
