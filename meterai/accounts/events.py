"""What accounts tell the rooms above."""

from datetime import datetime
from uuid import UUID

from meterai.plumbing.work.events import Event


class SignInAsked(Event, frozen=True, kw_only=True):
    """Somebody asked for a sign-in code; written by `sign_in_begin`.

    Of no account: whose address it is is not known yet.  `language`: `id` or `en`; `network`: who asked.
    """

    challenge: UUID
    email: str
    language: str
    network: str = ""  # events of the version before this one have none


class CredentialChanged(Event, frozen=True, kw_only=True):
    """The owner of an account, or whoever has its session or key, made or ended what opens it;
    written by `tell_owner`.

    `kind`: `passkey` or `api_key`; `change`: `made` or `ended`; `credential`: its public number.
    """

    kind: str
    change: str
    credential: str
    name: str


class ApiKeyEnds(Event, frozen=True, kw_only=True):
    """An API key ends within days, and nobody made its successor; written by `tell_that_key_ends`.

    `credential`: its public number; `until`: when it ends.
    """

    credential: str
    name: str
    until: datetime


class InvitationMade(Event, frozen=True, kw_only=True):
    """An organization invited an address; written by `tell_invited`.

    `language`: of whoever invites; `name`: of the organization; `until`: when it is over.  The secret of its link is made
    for the mail and stands nowhere.
    """

    invitation: UUID
    email: str
    language: str
    name: str
    role: str
    until: datetime


class OrganizationDecided(Event, frozen=True, kw_only=True):
    """Staff approved or declined an organization; written by `tell_of_decision`.

    `decision`: `approved` or `declined`; `name`: of the organization.
    """

    decision: str
    name: str
