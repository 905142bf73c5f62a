"""Addresses, tokens and the ways sign-in is refused; pure."""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.ids import compact, from_compact, new_id, show
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.numbers import counted
from meterai.kit.refusal import (
    CommandRefusal,
    Malformed,
    Refusal,
    SignInRequired,
    refusal_of_database,
)


class Permission(StrEnum):
    """What a route lets do.  Each route declares one of these, and one guard asks for it."""

    PUBLIC = "public"  # everybody
    PROVIDER = "provider"  # the payment provider, which proves itself by its signature
    ACCOUNT_READ = "account.read"
    KEYS_READ = "keys.read"
    KEYS_MANAGE = "keys.manage"
    BALANCE_READ = "balance.read"
    ORDER_READ = "order.read"
    ORDER_CREATE = "order.create"
    ORDER_WITHDRAW = "order.withdraw"
    SALE_MAKE = "sale.make"  # sell stamps from the deposit of a distributor, and see what was sold
    RESELLERS_MANAGE = (
        "resellers.manage"  # who sells from the deposit of an account, and for whom it sells itself
    )
    SHOP_CHANGE = "shop.change"  # what the sales page of a distributor shows
    REFUND_READ = "refund.read"
    REFUND_ASK = "refund.ask"
    STAMP_AFFIX = "stamp.affix"
    STAMPING_READ = "stamping.read"
    DOCUMENT_READ = "document.read"  # the stamped file, or what was added to it
    CASE_READ = "case.read"
    CASE_MAKE = "case.make"  # complain, and answer
    WEBHOOKS_READ = "webhooks.read"
    WEBHOOKS_MANAGE = "webhooks.manage"
    MEMBERS_READ = "members.read"
    MEMBERS_MANAGE = "members.manage"
    PERSON = "person"  # what a person does for itself, whoever it acts for: passkeys, sessions, organizations
    # Permissions of staff, the operator's own people.
    CONSOLE_READ = "console.read"  # search, timelines, work lists, numbers
    CONSOLE_CASES = "console.cases"  # answer complaints
    CONSOLE_MONEY = "console.money"  # suspense, refunds
    CONSOLE_OPERATIONS = "console.operations"  # lines, issuing, jobs, mails
    CONSOLE_SESSIONS = "console.sessions"  # end sessions and keys of an account
    CONSOLE_FINANCE = "console.finance"  # reconciliation, statements of books, day close, payouts
    CONSOLE_INCIDENTS = "console.incidents"  # incidents, the way back, outage records
    CONSOLE_STATEMENTS = "console.statements"  # statements of duty, extracts, evidence
    CONSOLE_PRIVACY = "console.privacy"  # requests of people about their data, breaches
    CONSOLE_ORGANIZATIONS = "console.organizations"  # approve organizations
    CONSOLE_STAFF = "console.staff"  # who is staff
    CONSOLE_APPROVE = "console.approve"  # decide on what others asked for


OPEN = frozenset({Permission.PUBLIC, Permission.PROVIDER})  # nobody has to be signed in
PERSONAL = frozenset({Permission.PERSON})
OF_STAFF = frozenset(one for one in Permission if one.startswith("console."))


class Role(StrEnum):
    """Role of a member in an organization.  A person is the owner of its own account."""

    OWNER = "owner"
    FINANCE = "finance"  # buys, and asks money back
    CLERK = "clerk"  # stamps documents from what was bought
    DEVELOPER = "developer"  # builds programs that use the API
    AUDITOR = "auditor"  # sees what was done and where the money is; changes nothing


class StaffRole(StrEnum):
    """Role of somebody who works for the operator of the platform."""

    SUPPORT = "support"  # answers people who ask about their orders
    FINANCE = "finance"  # decides about money: suspense, refunds
    OPERATIONS = "operations"  # runs the installation
    SUPERVISOR = "supervisor"  # may do all of it, and says who is staff
    REGULATOR = "regulator"  # sees, and changes nothing


class OrganizationState(StrEnum):
    """State of an organization."""

    WAITING = "waiting"  # for the approval of staff; nobody acts for it yet
    OPEN = "open"  # its members act for it
    DECLINED = "declined"  # staff did not approve of it


class OrganizationEvent(StrEnum):
    """Decision of staff about an organization."""

    APPROVED = "approved"
    DECLINED = "declined"


ORGANIZATION = Lifecycle(
    "the organization",
    {
        (OrganizationState.WAITING, OrganizationEvent.APPROVED): OrganizationState.OPEN,
        (OrganizationState.WAITING, OrganizationEvent.DECLINED): OrganizationState.DECLINED,
    },
)


class InvitationState(StrEnum):
    """State of an invitation; one that is `sent` and past its time opens nothing either."""

    SENT = "sent"  # it can be accepted until its time is over
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"  # a later one went to the same address


class InvitationEvent(StrEnum):
    """How an invitation ends."""

    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"


INVITATION = Lifecycle(
    "the invitation",
    {(InvitationState.SENT, event): InvitationState(event) for event in InvitationEvent},
)


_SEES = frozenset(
    {
        Permission.ACCOUNT_READ,
        Permission.BALANCE_READ,
        Permission.STAMPING_READ,
        Permission.MEMBERS_READ,
    }
)
# The answer to a complaint has facts of orders, payments and refunds.
_SEES_MONEY = _SEES | {Permission.ORDER_READ, Permission.REFUND_READ, Permission.CASE_READ}
PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission) - OPEN - PERSONAL - OF_STAFF,
    Role.FINANCE: _SEES_MONEY
    | {
        Permission.ORDER_CREATE,
        Permission.ORDER_WITHDRAW,
        Permission.SALE_MAKE,
        Permission.REFUND_ASK,
        Permission.CASE_MAKE,
    },
    Role.CLERK: _SEES | {Permission.STAMP_AFFIX, Permission.DOCUMENT_READ},
    Role.DEVELOPER: _SEES
    | {
        Permission.KEYS_READ,
        Permission.KEYS_MANAGE,
        Permission.WEBHOOKS_READ,
        Permission.WEBHOOKS_MANAGE,
    },
    Role.AUDITOR: _SEES_MONEY | {Permission.KEYS_READ, Permission.WEBHOOKS_READ},
}
STAFF_PERMISSIONS: Mapping[StaffRole, frozenset[Permission]] = {
    StaffRole.SUPPORT: frozenset(
        {Permission.CONSOLE_READ, Permission.CONSOLE_CASES, Permission.CONSOLE_SESSIONS}
    ),
    StaffRole.FINANCE: frozenset(
        {
            Permission.CONSOLE_READ,
            Permission.CONSOLE_MONEY,
            Permission.CONSOLE_FINANCE,
            Permission.CONSOLE_STATEMENTS,
            Permission.CONSOLE_APPROVE,
        }
    ),
    StaffRole.OPERATIONS: frozenset(
        {
            Permission.CONSOLE_READ,
            Permission.CONSOLE_OPERATIONS,
            Permission.CONSOLE_INCIDENTS,
            Permission.CONSOLE_SESSIONS,
            Permission.CONSOLE_APPROVE,
        }
    ),
    StaffRole.SUPERVISOR: OF_STAFF,
    StaffRole.REGULATOR: frozenset({Permission.CONSOLE_READ, Permission.CONSOLE_STATEMENTS}),
}

# The permissions that an API key may have.  A key gives nobody a role.
KEY_PERMISSIONS = PERMISSIONS[Role.OWNER] - {Permission.MEMBERS_MANAGE}
# Scopes that show facts of orders: a key that has one has `order.read` too.
SHOWS_ORDERS = frozenset({Permission.CASE_READ, Permission.CASE_MAKE})
# Choices of scopes on the form of a new key.  Permissions that its maker lacks are left out.
KEY_PRESETS: Mapping[str, frozenset[Permission]] = {
    "everything": KEY_PERMISSIONS,
    "buying": frozenset(
        {
            Permission.BALANCE_READ,
            Permission.ORDER_READ,
            Permission.ORDER_CREATE,
            Permission.ORDER_WITHDRAW,
            Permission.REFUND_READ,
            Permission.REFUND_ASK,
        }
    ),
    "stamping": frozenset(
        {
            Permission.BALANCE_READ,
            Permission.STAMP_AFFIX,
            Permission.STAMPING_READ,
            Permission.DOCUMENT_READ,
        }
    ),
    "reading": frozenset(one for one in KEY_PERMISSIONS if one.endswith(".read")),
}

NOBODY = UUID(int=0)  # the account of what belongs to no account yet

EMAIL_LENGTH_MAX = 254  # RFC 5321, section 4.5.3.1.3
CODE_DIGITS = 6
SECRET_BYTES = 24
KEY_PREFIX = "mtr_"
ACCOUNT_KIND = "acc"
KEY_KIND = "key"
SESSION_KIND = "ses"
PASSKEY_KIND = "psk"
MEMBERSHIP_KIND = "mem"
INVITATION_KIND = "inv"
# A dot-string and a domain (RFC 5321, section 4.1.2): labels of 63 characters that neither begin nor end
# with a hyphen (RFC 1035, section 2.3.4), the last of them no number. What else is typed reaches nobody.
_ATOM, _LABEL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(
    rf"(?=[^@]{{1,64}}@){_ATOM}(\.{_ATOM})*@({_LABEL}\.)+(?=[a-z0-9-]*[a-z]){_LABEL}\Z"
)
_WEB_ADDRESS = re.compile(r"://|\bwww\.", re.IGNORECASE)
_CREDENTIAL_LENGTH = 26 + 26 + 32
KEY_NAME_LENGTH_MAX = 60  # characters; fits on one line of a phone
KEYS_PER_ACCOUNT_MAX = 50  # not ended; a list that a person can still read through
SESSIONS_SHOWN_MAX = 50  # the newest; a person has a few, and can end all
# For how long a key still opens after its successor was made: at once, an hour, a day, a week.
KEY_OVERLAP_HOURS = (0, 1, 24, 168)
KEY_LIVES_MAX = timedelta(days=3_660)  # ten years: beyond, the year was typed wrong
KEY_NEAR_END = timedelta(days=30)  # staff see it from then on: time to ask whoever has it
KEY_END_TOLD_BEFORE = timedelta(days=7)  # its owner is written to; time to make another
KEYS_SHOWN_MAX = 100  # those in use, and the newest of those that were ended
# People who share a phone: their addresses all stay known, the one used longest ago goes first.
ADDRESSES_PER_DEVICE_MAX = 4
_MARK_BYTES = 16
ORGANIZATION_NAME_LENGTH_MAX = 200  # characters; longer than any name of a company that we know
ORGANIZATIONS_PER_PERSON_MAX = 20  # with a role in force; a list that a person chooses from
MEMBERS_MAX = 200  # of one organization; a list that its owner reads through
# Sent within a day by one organization: a mail goes to whoever it names, so as few as a team needs.
INVITATIONS_PER_DAY_MAX = 20
# Sent within a day to one address by all organizations: nobody's inbox is filled by organizations made for it.
INVITATIONS_PER_ADDRESS_MAX = 5
INVITATION_LIVES = timedelta(days=7)
STAMPS_PER_MONTH_MAX = 1_000_000_000  # beyond what is sold in a year
# A session that began by then may make what outlives it: a passkey, an API key.  Long enough to make one
# after signing in for it, and short beside the time for which a stolen session goes unnoticed.
PROOF_LIVES = timedelta(minutes=10)
# How long a session has the rights of staff: a working day.
STAFF_SESSION_LIVES = timedelta(hours=12)
SUPERVISORS_FIRST_MAX = 2  # made without an approval: one asks, the other approves
# What a thief may have made with a session that was stolen: as long as one lives by default.
LATELY = timedelta(days=30)
# As far back as the codes of an address are counted.  So whenever a stranger has used them up, a
# mail is in the inbox of that address whose link still opens.
LINK_LIVES = timedelta(hours=1)


class NotPermitted(Refusal):
    """Whoever asks is known, and may not do this; `permission` says what is missing."""

    code = "not_permitted"
    status = 403

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"the permission {permission} is missing")
        self.permission = permission.value


@refusal_of_database
class MembershipEnded(Refusal):
    """The session acts for an organization in which the person has no role any more."""

    code = "membership_ended"
    status = 403


class PasskeyNeeded(Refusal):
    """The account has no passkey, and staff have no other way to sign in."""

    code = "passkey_needed"
    status = 409


class PasskeyRequired(Refusal):
    """The account is of staff: no mail opens it, and only a session that a passkey opened adds a passkey."""

    code = "passkey_required"
    status = 403


class StaffRoleUnchanged(Refusal):
    """The account has the role that is to be given, or has not the one that is to end."""

    code = "staff_role_unchanged"
    status = 409


class LastSupervisor(Refusal):
    """Nobody else is a supervisor: without one nobody could say who is staff."""

    code = "last_supervisor"
    status = 409


class SupervisorsExist(CommandRefusal):
    """There are two supervisors: they say who else is staff."""

    code = "supervisors_exist"


class OrganizationNotOpen(Refusal):
    """The organization waits for the approval of staff, or was declined: nobody acts for it."""

    code = "organization_not_open"
    status = 409

    def __init__(self, state: str) -> None:
        super().__init__(f"the organization is {state}")
        self.state = state


class TooManyOrganizations(Refusal):
    """The person has a role in as many organizations as it may have."""

    code = "too_many_organizations"
    status = 409

    def __init__(self, organizations_max: int) -> None:
        super().__init__(f"a role in {organizations_max} organizations")
        self.organizations_max = organizations_max


class TooManyMembers(Refusal):
    """The organization has as many members as it may have."""

    code = "too_many_members"
    status = 409

    def __init__(self, members_max: int) -> None:
        super().__init__(f"{members_max} members")
        self.members_max = members_max


class TooManyInvitations(Refusal):
    """The organization, or all of them to one address, have sent as many invitations within a day as may be."""

    code = "too_many_invitations"
    status = 409

    def __init__(self, invitations_max: int) -> None:
        super().__init__(f"{invitations_max} invitations within a day")
        self.invitations_max = invitations_max


class AlreadyMember(Refusal):
    """The person has a role in the organization already; it is changed, and not given again."""

    code = "already_member"
    status = 409


class InvitationForAnother(Refusal):
    """The invitation was sent to another address than that of the account; which one is not told."""

    code = "invitation_for_another"
    status = 403


class InvitationSpent(Refusal):
    """The invitation is too old, was used or withdrawn, or is not one of ours."""

    code = "invitation_spent"
    status = 410


class LastOwner(Refusal):
    """The organization would be without an owner."""

    code = "last_owner"
    status = 409


@refusal_of_database
class MemberLimitReached(Refusal):
    """The member would use more stamps this month than its organization lets it; so many are left."""

    code = "member_limit_reached"
    status = 409

    def __init__(self, needed: int, left: int, limit: int) -> None:
        super().__init__(f"{needed} stamps asked for, {left} of {limit} left this month")
        self.needed = needed
        self.left = left
        self.limit = limit


class CodeWrong(Refusal):
    """The code is not the one that was sent; so many tries are left.

    Each mail has a code of its own, which signs in on the page that asked for it.  Of two mails the
    latest may be for another page, so the right one is named by when it went out.
    """

    code = "code_wrong"
    status = 422

    def __init__(self, tries_left: int, mailed_at: datetime) -> None:
        super().__init__(f"another code was sent; {tries_left} tries left")
        self.tries_left = tries_left
        self.mailed_at = mailed_at


class CodeIncomplete(Refusal):
    """No code of ours has this many digits: it is not looked up, and costs no try."""

    code = "code_incomplete"
    status = 422


class CodeSpent(Refusal):
    """The code is too old, was used, or was tried too often; a new one is needed."""

    code = "code_spent"
    status = 422


class LinkSpent(Refusal):
    """The link of a mail is too old, was used, or is not one of ours."""

    code = "link_spent"
    status = 422


class TooManyCodes(Refusal):
    """More codes were asked for than one address or network gets in an hour, or so many lately that one of
    those can still be typed.

    From `retry_at` on there is another, unless somebody else was given it first.
    """

    code = "too_many_codes"
    status = 429
    quota = ("sign_in_codes", "")  # several, of an address and its networks: which is not told

    def __init__(self, until: datetime) -> None:
        # Shown to the minute, so rounded up to a whole one.
        whole = until.replace(second=0, microsecond=0)
        self.retry_at = whole if whole == until else whole + timedelta(minutes=1)
        super().__init__(f"too many codes lately; again at {self.retry_at.isoformat()}")


@refusal_of_database
class SignUpClosed(Refusal):
    """The address has no account, and none is made since `closed_at`; accounts that are there sign in.

    Only who reads the mail of the address is told: nobody else learns whether it has an account.
    """

    code = "sign_up_closed"
    status = 503
    retry_after_seconds = 60

    def __init__(self, closed_at: str) -> None:
        super().__init__(f"no account is made since {closed_at}")
        self.closed_at = closed_at  # as the database writes a moment

    def facts(self) -> dict[str, object]:
        """Since when, as a moment."""
        return {"closed_at": datetime.fromisoformat(self.closed_at)}


class PasskeyRefused(Refusal):
    """What an authenticator answered does not open or make anything; why is not told."""

    code = "passkey_refused"
    status = 422


class CredentialTaken(Refusal):
    """The authenticator's credential is a passkey of another account: one opens one account."""

    code = "credential_taken"
    status = 409


class TooManyPasskeys(Refusal):
    """The account has as many passkeys as it may have."""

    code = "too_many_passkeys"
    status = 409

    def __init__(self, passkeys_max: int) -> None:
        super().__init__(f"{passkeys_max} passkeys are in use")
        self.passkeys_max = passkeys_max


class TooManyKeys(Refusal):
    """The account has as many API keys as it may have."""

    code = "too_many_keys"
    status = 409

    def __init__(self, keys_max: int) -> None:
        super().__init__(f"{keys_max} API keys are in use")
        self.keys_max = keys_max


class ScopeNotHeld(Refusal):
    """The key would have a permission that whoever makes it has not; which, is told."""

    code = "scope_not_held"
    status = 403

    def __init__(self, scope: str) -> None:
        super().__init__(f"the maker has no {scope}")
        self.scope = scope


class KeyOver(Refusal):
    """The key was ended, or its time is over: it has no successor, a new one is made."""

    code = "key_over"
    status = 409


class KeyReplaced(Refusal):
    """The key has a successor already."""

    code = "key_replaced"
    status = 409


class KeyAlreadyMade(Refusal):
    """The same form made a key before; its text was shown then and is kept nowhere."""

    code = "key_already_made"
    status = 409


@dataclass(frozen=True, slots=True)
class Contact:
    """Where and in which language an account is written to."""

    email: str
    language: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """A sign-in code that was sent, and how often it was tried."""

    email: str
    expires_at: datetime
    used_at: datetime | None
    tries: int
    leads_to: str  # the page of ours where the sign-in began

    def is_spent(self, now: datetime, tries_max: int, again_since: datetime | None) -> bool:
        """True where no code opens it any more; used after `again_since`, it opens once more."""
        is_used = self.used_at is not None and (again_since is None or self.used_at <= again_since)
        return is_used or self.expires_at <= now or self.tries >= tries_max

    def is_link_over(self, now: datetime, again_since: datetime, code_lives: timedelta) -> bool:
        """True where the link of its mail opens nothing any more.  Wrong codes change nothing
        about it: whoever tries those has not got the mail.
        """
        is_used = self.used_at is not None and self.used_at <= again_since
        return is_used or self.expires_at - code_lives + max(LINK_LIVES, code_lives) <= now


@dataclass(frozen=True, slots=True)
class TriedChallenge(Challenge):
    """A challenge as it was before a code was tried, and the account that the code opened, if it did."""

    account: UUID | None
    language: str | None


class OpenedAccount(NamedTuple):
    """The account that a sign-in opened, and the language it reads; None where only a passkey opens it."""

    account: UUID
    language: str | None


class CodeLimits(NamedTuple):
    """Codes sent within an hour, at most; and codes outstanding at once, at most."""

    of_address: int
    of_devices: int  # all those together that an address signed in with before
    of_network: int
    outstanding: int  # of an address, or of one device


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """What is known of a session or an API key that opens something."""

    secret_hash: bytes
    language: str  # of its account
    made_at: datetime
    last_used_at: datetime | None
    acts_for: UUID | None = None  # the organization that a session acts for
    staff: Sequence[str] = ()  # roles of staff, where a passkey opened the session
    is_by_passkey: bool = False  # of a session
    scopes: Sequence[str] | None = None  # of a key; None is everything that a key may do


class StaffOfAddress(NamedTuple):
    """Somebody of staff: the account, its address, and its roles."""

    account: UUID
    email: str
    roles: Sequence[str]


class ActingFor(NamedTuple):
    """The organization that a session acts for: its name, and the role of the person there."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """The scopes of a new API key, its end and its maker.

    `scopes` None is everything that a key may do; `held` are the permissions of the maker, None those of an operator.
    """

    scopes: frozenset[str] | None = None
    expires_at: datetime | None = None
    made_by: UUID | None = None
    held: frozenset[str] | None = None
    follows: UUID | None = None  # the key that it replaces


class Replacement(NamedTuple):
    """The wish to replace an API key: for how long it still opens, and the id of its successor."""

    key: UUID
    overlap_hours: int
    successor: UUID


@dataclass(frozen=True, slots=True)
class StoredKey:
    """An API key as it is kept, for the one that replaces it."""

    name: str
    scopes: Sequence[str] | None
    made_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    successor: UUID | None


@dataclass(frozen=True, slots=True)
class KeyOfAccount:
    """An API key that ends soon, and whose it is."""

    account: UUID
    key: UUID
    name: str
    expires_at: datetime


class KeyMaker(NamedTuple):
    """A person who made a key of an organization, and whether it still has a role there."""

    key: str
    email: str
    has_left: bool


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization as its members and staff see it."""

    account: UUID
    name: str
    npwp: str
    nib: str
    warns: Sequence[str]  # which of these numbers are in a format that is not known
    state: OrganizationState
    made_at: datetime


class PlaceOf(NamedTuple):
    """An organization in which a person has a role."""

    account: UUID
    name: str
    state: OrganizationState
    role: Role


@dataclass(frozen=True, slots=True)
class Member:
    """A person with a role in an organization, and the stamps it used this month against its limit."""

    id: str
    person: UUID
    role: Role
    given_at: datetime
    stamps_per_month: int | None
    stamps_used: int
    email: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation to an organization."""

    account: UUID
    id: UUID
    email: str
    role: Role
    stamps_per_month: int | None
    secret_hash: bytes
    state: InvitationState
    made_at: datetime
    expires_at: datetime

    @property
    def shown(self) -> str:
        """Its public number."""
        return show(INVITATION_KIND, self.id)

    def is_over(self, now: datetime) -> bool:
        """True where it cannot be accepted any more."""
        return self.state != InvitationState.SENT or self.expires_at <= now


@dataclass(frozen=True, slots=True)
class ApiKeyView:
    """An API key as its owner sees it.  Its text is not here: nobody but the holder has it."""

    id: str
    name: str
    scopes: Sequence[str]
    made_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    ended_at: datetime | None
    replaces: str | None

    def is_over(self, now: datetime) -> bool:
        """True once it opens nothing any more."""
        return self.ended_at is not None or (self.expires_at is not None and self.expires_at <= now)


@dataclass(frozen=True, slots=True)
class AccountTold:
    """An account with the organization that it is, if it is one."""

    email: str
    made_at: datetime
    organization: str | None
    organization_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its owner sees it: coarsely from where, and when."""

    id: str
    browser: str
    system: str
    begun_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredPasskey:
    """A passkey that opens its account: what its answers are checked with."""

    passkey_id: UUID
    public_key: bytes  # COSE
    sign_count: int


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey as its owner sees it."""

    id: str
    name: str
    made_at: datetime
    last_used_at: datetime | None


def staff_permissions(roles: Sequence[str]) -> frozenset[Permission]:
    """Permissions of all these roles of staff together."""
    return frozenset().union(*(STAFF_PERMISSIONS[StaffRole(one)] for one in roles))


def key_permissions(scopes: Sequence[str] | None) -> frozenset[str]:
    """Permissions of a key with these scopes: no more than a key may have."""
    return KEY_PERMISSIONS if scopes is None else KEY_PERMISSIONS.intersection(scopes)


def is_lately(made_at: datetime, now: datetime) -> bool:
    """True for what may have been made with a session that was stolen."""
    return now - made_at <= LATELY


def normalized(email: str) -> str:
    """The address as we compare it.  Refuses `Malformed`."""
    text = email.strip().lower()
    if len(text) > EMAIL_LENGTH_MAX or not _EMAIL.match(text):
        raise Malformed("email", "email")
    return text


def key_name(text: str) -> str:
    """The name of an API key, as its holder gave it.  Refuses `Malformed`."""
    return _name(text, "name", KEY_NAME_LENGTH_MAX)


def organization_name(text: str) -> str:
    """The name of an organization.  Refuses `Malformed`, also of a web address: mails to strangers have the name."""
    name = _name(text, "organization", ORGANIZATION_NAME_LENGTH_MAX)
    if _WEB_ADDRESS.search(name):
        raise Malformed("organization", "shown_text", length_max=ORGANIZATION_NAME_LENGTH_MAX)
    return name


def _name(text: str, field: str, length_max: int) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= length_max or not name.isprintable():
        raise Malformed(field, "shown_text", length_max=length_max)
    return name


def stamps_limit(text: str) -> int | None:
    """The limit of stamps per month that was typed; None where there is none.  Refuses `Malformed`."""
    if not text.strip():
        return None
    limit = counted(text.strip())
    if limit is None or limit > STAMPS_PER_MONTH_MAX:
        raise Malformed("stamps_per_month", "whole_number")
    return limit


def code_of(key: bytes, challenge: UUID) -> str:
    """The six digits of a challenge.  Derived from a key that is not in the database, so that a
    copy of the database does not reveal them."""
    digest = hmac.digest(key, challenge.bytes, hashlib.sha256)
    return f"{int.from_bytes(digest[:8]) % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def asked_mark(key: bytes, challenge: UUID) -> str:
    """What the browser that asked for the code of a challenge keeps: it is told by no mail and no
    address, so nobody else has it.  By itself it opens nothing."""
    digest = hmac.digest(key, b"asked:" + challenge.bytes, hashlib.sha256)[:_MARK_BYTES]
    return urlsafe_b64encode(digest).decode().rstrip("=")


def link_secret(key: bytes, challenge: UUID) -> str:
    """What the link of a mail proves that it was read with: 128 bits, so that guesses need not be
    counted, and nobody can use them up."""
    return hmac.digest(key, b"link:" + challenge.bytes, hashlib.sha256)[:_MARK_BYTES].hex()


@dataclass(frozen=True, slots=True)
class Credential:
    """A bearer secret that names its own row: account, key, session or invitation, and the secret."""

    account: UUID
    id: UUID
    secret: str

    @classmethod
    def fresh(cls, account: UUID, identifier: UUID) -> "Credential":
        """A new credential for a row that is about to be written."""
        return cls(account, identifier, secrets.token_urlsafe(SECRET_BYTES))

    @classmethod
    def of_invitation(cls, key: bytes, account: UUID, invitation: UUID) -> "Credential":
        """The credential in the link of an invitation: made anew for its mail from a key that is not in the
        database, so that no row has it.
        """
        digest = hmac.digest(key, b"invitation:" + account.bytes + invitation.bytes, hashlib.sha256)
        secret = urlsafe_b64encode(digest[:SECRET_BYTES]).decode()
        return cls(account, invitation, secret)

    def text(self, prefix: str = "") -> str:
        """What the holder keeps."""
        return f"{prefix}{compact(self.account)}{compact(self.id)}{self.secret}"

    @classmethod
    def read(cls, text: str, prefix: str = "") -> "Credential":
        """Read what the holder sent.  Refuses `SignInRequired`."""
        rest = text.removeprefix(prefix)
        if len(rest) != _CREDENTIAL_LENGTH or not text.startswith(prefix):
            raise SignInRequired("not a credential")
        try:
            return cls(from_compact(rest[:26]), from_compact(rest[26:52]), rest[52:])
        except ValueError:
            raise SignInRequired("not a credential") from None

    def hash(self) -> bytes:
        """What we keep: the secret has 192 random bits, so a plain hash is enough."""
        return hashlib.sha256(self.secret.encode()).digest()

    def opens(self, stored: bytes) -> bool:
        """True where the secret is the one whose hash is stored."""
        return hmac.compare_digest(self.hash(), stored)


def address_digest(account: UUID, email: str) -> str:
    """What the audit trail keeps of an address."""
    return hashlib.sha256(account.bytes + email.encode()).hexdigest()


def session_digest(secret_hash: bytes) -> str:
    """The name of a session or an invitation in the audit trail: a hash of the hash of its secret."""
    return hashlib.sha256(secret_hash).hexdigest()


def organization_digest(account: UUID, name: str, npwp: str, nib: str) -> str:
    """The digest of an organization for the audit trail; its name and numbers cannot be guessed from it."""
    return hashlib.sha256(account.bytes + "\n".join((name, npwp, nib)).encode()).hexdigest()


def key_digest(secret_hash: bytes, name: str) -> str:
    """The digest of an API key for the audit trail; its name cannot be guessed from it."""
    return hashlib.sha256(secret_hash + name.encode()).hexdigest()


def passkey_digest(credential: bytes, public_key: bytes, name: str) -> str:
    """What the audit trail keeps of a passkey."""
    return hashlib.sha256(credential + public_key + name.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KnownBrowser:
    """A browser, and a mark (an HMAC of ours) for each address that signed in with it.

    It authenticates nobody.  It only keeps a stranger, who uses up the codes of an address, from
    locking out whoever signed in with that address before.
    """

    id: UUID
    marks: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> "KnownBrowser | None":
        """The device of a cookie, or None; its marks are not checked here but by `knows`."""
        if not text.isascii():
            return None
        name, *marks = text.split(".")
        try:
            return cls(from_compact(name), tuple(marks[:ADDRESSES_PER_DEVICE_MAX]))
        except ValueError:
            return None

    @classmethod
    def fresh(cls) -> "KnownBrowser":
        """A device nobody signed in with yet."""
        return cls(new_id())

    def text(self) -> str:
        """What the cookie holds."""
        return ".".join((compact(self.id), *self.marks))

    def _mark(self, key: bytes, email: str) -> str:
        about = b"device:" + self.id.bytes + email.encode()
        digest = hmac.digest(key, about, hashlib.sha256)[:_MARK_BYTES]
        return urlsafe_b64encode(digest).decode().rstrip("=")

    def knows(self, key: bytes, email: str) -> bool:
        """True where this address signed in with this device."""
        mark = self._mark(key, email).encode()
        return any(hmac.compare_digest(mark, one.encode()) for one in self.marks)

    def knowing(self, key: bytes, email: str) -> "KnownBrowser":
        """The same device after this address signed in with it."""
        mark = self._mark(key, email)
        others = tuple(one for one in self.marks if one != mark)
        return KnownBrowser(self.id, (mark, *others)[:ADDRESSES_PER_DEVICE_MAX])
