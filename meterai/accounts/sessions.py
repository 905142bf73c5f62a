"""Sessions: beginning and ending."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meterai import trail
from meterai.accounts import store
from meterai.accounts.agents import Agent
from meterai.accounts.model import SESSION_KIND, Credential, StoredCredential, session_digest
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import NotFound
from meterai.plumbing.db.database import Tx

PERSON = Actor(ActorKind.ACCOUNT)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Cookies that a browser keeps after sign-in, with the lifetime of the session."""

    session: str
    life_seconds: float
    device: str
    stored: StoredCredential | None = None  # the row of the session, if known


async def open_session(
    tx: Tx,
    account: UUID,
    lives: tuple[datetime, datetime],
    agent: Agent,
    *,
    actor: Actor,
    **by: str,
) -> Credential:
    """Begin a session of an account, for a person who has proved to own the account.  Return its credential.

    `lives` are the times of its beginning and its end. `by` are facts for the audit trail about the proof of ownership; none if
    the proof is a code or link of a mail.
    """
    session = Credential.fresh(account, new_id())
    opened_with = "passkey" if "passkey" in by else "mail"
    await store.insert_session(tx, account, session.id, session.hash(), lives, agent, opened_with)
    subject, facts = show(SESSION_KIND, session.id), session_facts(session, lives[1])
    await trail.record(tx, account, actor=actor, action="signed_in", subject=subject, **facts, **by)
    return session


def session_facts(session: Credential, until: datetime) -> dict[str, str]:
    """Return the facts of a new session for the audit trail."""
    return {"digest": session_digest(session.hash()), "until": until.isoformat()}


async def end_session(tx: Tx, session: Credential, *, at: datetime) -> StoredCredential | None:
    """End a session and return its row; None if the credential belongs to no open session."""
    found = await store.session(tx, session.account, session.id)
    if found is None or not session.opens(found.secret_hash):
        return None
    await end_session_of(tx, session.account, session.id, actor=PERSON, at=at)
    return found


async def end_session_of(
    tx: Tx, account: UUID, session: UUID, *, actor: Actor, at: datetime
) -> None:
    """End a session of an account.  A repeat changes nothing.  Refuses `NotFound`."""
    ended = await store.end_session(tx, account, session, at)
    if ended is None:
        raise NotFound("no such session of this account")
    if ended:
        subject = show(SESSION_KIND, session)
        await trail.record(tx, account, actor=actor, action="signed_out", subject=subject)


async def end_sessions(tx: Tx, account: UUID, *, actor: Actor, at: datetime) -> list[UUID]:
    """End every session of an account; return the ids of the sessions that were open."""
    ended = await store.end_sessions(tx, account, at)
    for session in ended:
        subject = show(SESSION_KIND, session)
        await trail.record(tx, account, actor=actor, action="signed_out", subject=subject)
    return ended
