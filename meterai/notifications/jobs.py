"""Event handlers of notifications."""

from meterai.accounts.events import (
    ApiKeyEnds,
    CredentialChanged,
    InvitationMade,
    OrganizationDecided,
    SignInAsked,
)
from meterai.kit.ids import show
from meterai.kit.priority import Priority
from meterai.notifications.service import queue, queue_code, queue_to
from meterai.plumbing.db.database import Tx
from meterai.plumbing.messages import LANGUAGES, format_datetime, translate
from meterai.plumbing.work.events import on
from meterai.waiting_room.events import TurnNear


async def queue_sign_in_code(tx: Tx, event: SignInAsked) -> None:
    """Queue the mail with a requested sign-in code."""
    await queue_code(tx, event.challenge, event.email, event.language, event.network)


async def queue_turn_near(tx: Tx, event: TurnNear) -> None:
    """Queue the mail that announces a turn within minutes."""
    facts: dict[str, object] = {"line": event.line, "number": event.number}
    cause = f"turn_near:{event.line_id}:{event.number}"
    await queue(tx, event.account, cause=cause, template="turn_near", facts=facts)


async def queue_credential_changed(tx: Tx, event: CredentialChanged) -> None:
    """Queue the mail that tells the owner of an account that a passkey or API key was made or ended."""
    cause = f"{event.credential}:{event.change}"
    template, facts = f"{event.kind}_{event.change}", {"name": event.name}
    await queue(tx, event.account, cause=cause, template=template, facts=dict(facts))


async def queue_key_ends(tx: Tx, event: ApiKeyEnds) -> None:
    """Queue the mail that warns the owner of an account that an API key ends within days."""
    until = {language: format_datetime(event.until, language) for language in LANGUAGES}
    facts: dict[str, object] = {"name": event.name, "until": until}
    cause = f"{event.credential}:ends"
    await queue(tx, event.account, cause=cause, template="api_key_ends", facts=facts)


async def queue_invitation(tx: Tx, event: InvitationMade) -> None:
    """Queue the mail with the link of an invitation."""
    facts: dict[str, object] = {
        "name": event.name,
        "invitation": str(event.invitation),
        "account": str(event.account),
        "role": {one: translate(f"role.{event.role}", one) for one in LANGUAGES},
        "until": {one: format_datetime(event.until, one) for one in LANGUAGES},
    }
    cause = f"{show('inv', event.invitation)}:made"
    await queue_to(tx, event.account, event.email, event.language, cause, "invitation_made", facts)


async def queue_organization_decided(tx: Tx, event: OrganizationDecided) -> None:
    """Queue the mail that tells the owner of an organization whether staff approved it."""
    cause = f"{show('acc', event.account)}:{event.decision}"
    template = f"organization_{event.decision}"
    await queue(tx, event.account, cause=cause, template=template, facts={"name": event.name})


HANDLERS = (
    # A person waits for a sign-in code, and a late one is useless.
    on(SignInAsked, queue_sign_in_code, gives_up=True, priority=Priority.CHECKOUT),
    on(TurnNear, queue_turn_near, gives_up=True),
    on(CredentialChanged, queue_credential_changed, gives_up=True),
    on(ApiKeyEnds, queue_key_ends, gives_up=True),
    on(InvitationMade, queue_invitation, gives_up=True),
    on(OrganizationDecided, queue_organization_decided, gives_up=True),
)
