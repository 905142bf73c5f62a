"""Events of accounts."""

from datetime import datetime
from uuid import UUID

from meterai.plumbing.work.events import Event


class SignInAsked(Event, frozen=True, kw_only=True):
    """A sign-in code was requested; written by `sign_in_begin`.

    It belongs to no account: the account of the address is not known yet.  `language`: `id` or `en`; `network`: of
    the request.
    """

    challenge: UUID
    email: str
    language: str
    network: str = ""  # absent in events of the previous version


class CredentialChanged(Event, frozen=True, kw_only=True):
    """A passkey or an API key of an account was made or ended in a session or by a key; written by `tell_owner`.

    `kind`: `passkey` or `api_key`; `change`: `made` or `ended`; `credential`: its public number.
    """

    kind: str
    change: str
    credential: str
    name: str


class ApiKeyEnds(Event, frozen=True, kw_only=True):
    """An API key without a successor ends within days; written by `tell_that_key_ends`.

    `credential`: its public number; `until`: when it ends.
    """

    credential: str
    name: str
    until: datetime


class InvitationMade(Event, frozen=True, kw_only=True):
    """An organization invited an address; written by `tell_invited`.

    `language`: of the inviting person; `name`: of the organization; `until`: end of the invitation.  The secret of
    its link is derived for the mail and not stored.
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
