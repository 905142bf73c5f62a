"""Events of accounts."""

from datetime import datetime
from uuid import UUID

from meterai.plumbing.work.events import Event


class SignInAsked(Event, frozen=True, kw_only=True):
    """A sign-in code was requested; written by `sign_in_begin`.

    The event belongs to no account, since the account of the address is not known yet.  `language` is `id` or `en`;
    `network` is the network of the request.
    """

    challenge: UUID
    email: str
    language: str
    network: str = ""  # absent in events of the previous version


class CredentialChanged(Event, frozen=True, kw_only=True):
    """A passkey or an API key was made or ended, through the pages or the API; written by `tell_owner`.

    `kind` is `passkey` or `api_key`, `change` is `made` or `ended`, `credential` is the public id of the passkey or key.
    """

    kind: str
    change: str
    credential: str
    name: str


class ApiKeyEnds(Event, frozen=True, kw_only=True):
    """An API key without a successor ends within days; written by `tell_that_key_ends`.

    `credential` is the public id of the key, `until` the time at which it ends.
    """

    credential: str
    name: str
    until: datetime


class InvitationMade(Event, frozen=True, kw_only=True):
    """An organization invited an address; written by `tell_invited`.

    `language` is that of the inviting person, `name` that of the organization, `until` the end of the invitation.  The
    secret in the link is derived when the mail is written, and not stored.
    """

    invitation: UUID
    email: str
    language: str
    name: str
    role: str
    until: datetime


class OrganizationDecided(Event, frozen=True, kw_only=True):
    """Staff approved or declined an organization; written by `tell_of_decision`.

    `decision` is `approved` or `declined`, `name` is the name of the organization.
    """

    decision: str
    name: str
