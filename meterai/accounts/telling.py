"""Events of accounts that cause mails: to the owner about credentials, and to invited addresses."""

from datetime import datetime
from uuid import UUID

from meterai.accounts.events import (
    ApiKeyEnds,
    CredentialChanged,
    InvitationMade,
    OrganizationDecided,
)
from meterai.accounts.model import Invitation
from meterai.kit.actor import Actor, ActorKind
from meterai.plumbing.db.database import Tx
from meterai.plumbing.work.events import emit


async def tell_owner(
    tx: Tx, account: UUID, actor: Actor, kind: str, change: str, credential: str, name: str
) -> None:
    """Notify the owner that a passkey or an API key was made or ended through our pages or the API.

    No mail is sent for a key made at the command line: the operator hands the key over and informs the owner.
    """
    if actor.kind != ActorKind.OPERATOR:
        await emit(
            tx,
            CredentialChanged(
                account=account, kind=kind, change=change, credential=credential, name=name
            ),
        )


async def tell_that_key_ends(
    tx: Tx, account: UUID, credential: str, name: str, until: datetime
) -> None:
    """Notify the owner of an API key that the key ends within days."""
    await emit(tx, ApiKeyEnds(account=account, credential=credential, name=name, until=until))


async def tell_invited(tx: Tx, made: Invitation, name: str, language: str) -> None:
    """Send an invitation to its address, in the language of the inviting person."""
    await emit(
        tx,
        InvitationMade(
            account=made.account,
            invitation=made.id,
            email=made.email,
            language=language,
            name=name,
            role=made.role,
            until=made.expires_at,
        ),
    )


async def tell_of_decision(tx: Tx, account: UUID, decision: str, name: str) -> None:
    """Notify the owner of an organization that staff approved or declined it."""
    await emit(tx, OrganizationDecided(account=account, decision=decision, name=name))
