"""Permissions, roles, refusals and values of accounts, sign-in and organizations; pure."""

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
    """Permission that a route declares and the guard requires."""

    PUBLIC = "public"  # everybody
    PROVIDER = "provider"  # a payment provider, authenticated by its signature
    ACCOUNT_READ = "account.read"
    KEYS_READ = "keys.read"
    KEYS_MANAGE = "keys.manage"
    BALANCE_READ = "balance.read"
    ORDER_READ = "order.read"
    ORDER_CREATE = "order.create"
    ORDER_WITHDRAW = "order.withdraw"
    SALE_MAKE = "sale.make"  # sell stamps from the deposit of a distributor, and see the sales
    RESELLERS_MANAGE = "resellers.manage"  # own resellers, and relations to distributors
    SHOP_CHANGE = "shop.change"  # content of a distributor's sales page
    REFUND_READ = "refund.read"
    REFUND_ASK = "refund.ask"
    STAMP_AFFIX = "stamp.affix"
    STAMPING_READ = "stamping.read"
    DOCUMENT_READ = "document.read"  # the stamped file, or its delta
    CASE_READ = "case.read"
    CASE_MAKE = "case.make"  # make complaints, and answer in them
    WEBHOOKS_READ = "webhooks.read"
    WEBHOOKS_MANAGE = "webhooks.manage"
    MEMBERS_READ = "members.read"
    MEMBERS_MANAGE = "members.manage"
    PERSON = "person"  # own passkeys, sessions and organizations, in any account acted for
    # Permissions of staff, the people who work for the operator.
    CONSOLE_READ = "console.read"  # search, timelines, work lists, numbers
    CONSOLE_CASES = "console.cases"  # answer complaints
    CONSOLE_MONEY = "console.money"  # suspense, refunds
    CONSOLE_OPERATIONS = "console.operations"  # lines, issuing, jobs, mails
    CONSOLE_SESSIONS = "console.sessions"  # end sessions and keys of an account
    CONSOLE_FINANCE = "console.finance"  # reconciliation, statements of books, day close, payouts
    CONSOLE_INCIDENTS = "console.incidents"  # incidents, recovery, outage records
    CONSOLE_STATEMENTS = "console.statements"  # statements of duty, extracts, evidence
    CONSOLE_PRIVACY = "console.privacy"  # data requests of people, breaches
    CONSOLE_ORGANIZATIONS = "console.organizations"  # approve organizations
    CONSOLE_STAFF = "console.staff"  # roles of staff
    CONSOLE_APPROVE = "console.approve"  # decide on requests of others


OPEN = frozenset({Permission.PUBLIC, Permission.PROVIDER})  # no sign-in needed
PERSONAL = frozenset({Permission.PERSON})
OF_STAFF = frozenset(one for one in Permission if one.startswith("console."))


class Role(StrEnum):
    """Role of a member in an organization.  In the account of a person, the person has the role of owner."""

    OWNER = "owner"
    FINANCE = "finance"  # buys, and requests refunds
    CLERK = "clerk"  # stamps documents with stamps of the organization
    DEVELOPER = "developer"  # builds programs that use the API
    AUDITOR = "auditor"  # sees acts and money; changes nothing


class StaffRole(StrEnum):
    """Role of a person who works for the operator of the platform."""

    SUPPORT = "support"  # answers questions about orders
    FINANCE = "finance"  # decides on money: suspense, refunds
    OPERATIONS = "operations"  # runs the installation
    SUPERVISOR = "supervisor"  # has every permission, and decides who is staff
    REGULATOR = "regulator"  # reads; changes nothing


class OrganizationState(StrEnum):
    """State of an organization."""

    WAITING = "waiting"  # for the approval of staff; nobody can act for it yet
    OPEN = "open"  # its members can act for it
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
    """State of an invitation.  An invitation that is `sent` cannot be accepted after it expired."""

    SENT = "sent"  # can be accepted until it expires
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"  # by a later invitation to the same address


class InvitationEvent(StrEnum):
    """Event that ends an invitation."""

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
# `case.read` belongs here, because the answer to a complaint shows facts of orders, payments and refunds.
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

# Permissions that an API key may have.  No key can manage members.
KEY_PERMISSIONS = PERMISSIONS[Role.OWNER] - {Permission.MEMBERS_MANAGE}
# Scopes that show facts of orders: a key with one of them also has `order.read`.
SHOWS_ORDERS = frozenset({Permission.CASE_READ, Permission.CASE_MAKE})
# Presets of scopes on the form of a new key.  Permissions that its maker lacks are left out.
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

NOBODY = UUID(int=0)  # account of rows that belong to no account

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
# A dot-string and a domain (RFC 5321, section 4.1.2): labels of at most 63 characters that neither
# begin nor end with a hyphen (RFC 1035, section 2.3.4), the last of them no number.  Mail to any
# other form is not delivered.
_ATOM, _LABEL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(
    rf"(?=[^@]{{1,64}}@){_ATOM}(\.{_ATOM})*@({_LABEL}\.)+(?=[a-z0-9-]*[a-z]){_LABEL}\Z"
)
_WEB_ADDRESS = re.compile(r"://|\bwww\.", re.IGNORECASE)
_CREDENTIAL_LENGTH = 26 + 26 + 32
KEY_NAME_LENGTH_MAX = 60  # characters; fits on one line of a phone
KEYS_PER_ACCOUNT_MAX = 50  # keys in use; a list that a person can read
SESSIONS_SHOWN_MAX = 50  # newest sessions; a person has a few, and can end all at once
# Hours that a key still works after its successor was made: none, an hour, a day, a week.
KEY_OVERLAP_HOURS = (0, 1, 24, 168)
KEY_LIVES_MAX = timedelta(days=3_660)  # ten years; a later end is a typing error
KEY_NEAR_END = timedelta(days=30)  # before its end a key is on a work list of staff
KEY_END_TOLD_BEFORE = timedelta(days=7)  # before the end of a key its owner gets a mail
KEYS_SHOWN_MAX = 100  # keys in use first, then the newest of the ended keys
# Addresses remembered by a device, since people may share a phone; the address used longest ago is dropped first.
ADDRESSES_PER_DEVICE_MAX = 4
_MARK_BYTES = 16
ORGANIZATION_NAME_LENGTH_MAX = 200  # characters; longer than any company name we know
ORGANIZATIONS_PER_PERSON_MAX = 20  # in which the person has a role; a list to choose from
MEMBERS_MAX = 200  # of one organization; a list that its owner reads
# Per organization and day: each invitation is a mail to an arbitrary address, so only as many as a team needs.
INVITATIONS_PER_DAY_MAX = 20
# Per address and day, over all organizations: invitations must not flood an inbox.
INVITATIONS_PER_ADDRESS_MAX = 5
INVITATION_LIVES = timedelta(days=7)
STAMPS_PER_MONTH_MAX = 1_000_000_000  # more than is sold in a year
# Age up to which a session counts as a fresh proof and may make a passkey or an API key, which outlive the session.
# Long enough to make one after signing in, and short compared with the time until a stolen session is noticed.
PROOF_LIVES = timedelta(minutes=10)
# Time for which a session has the rights of staff: a working day.
STAFF_SESSION_LIVES = timedelta(hours=12)
SUPERVISORS_FIRST_MAX = 2  # made without approval, so that one can request and the other approve
# Age up to which a credential may have been made by a stolen session: the default lifetime of a session.
RECENT = timedelta(days=30)
# The period in which the codes of an address are counted.  If a stranger uses up the codes of an address, its inbox
# has a mail whose link still works.
LINK_LIVES = timedelta(hours=1)


class NotPermitted(Refusal):
    """The caller is signed in, but lacks `permission`."""

    code = "not_permitted"
    status = 403

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"the permission {permission} is missing")
        self.permission = permission.value


@refusal_of_database
class MembershipEnded(Refusal):
    """The session acts for an organization in which the person no longer has a role."""

    code = "membership_ended"
    status = 403


class PasskeyNeeded(Refusal):
    """The account needs a passkey, because staff sign in by passkey alone."""

    code = "passkey_needed"
    status = 409


class PasskeyRequired(Refusal):
    """The account belongs to staff, who sign in by passkey alone; they can add a passkey only in a session that a passkey
    opened.
    """

    code = "passkey_required"
    status = 403


class StaffRoleUnchanged(Refusal):
    """The account already has the role that should be given, or lacks the role that should end."""

    code = "staff_role_unchanged"
    status = 409


class LastSupervisor(Refusal):
    """The account is the last supervisor; without one nobody can give roles of staff."""

    code = "last_supervisor"
    status = 409


class SupervisorsExist(CommandRefusal):
    """The command makes only the first two supervisors, and they exist already; supervisors give every further role."""

    code = "supervisors_exist"


class OrganizationNotOpen(Refusal):
    """The organization waits for approval or was declined, so nobody acts for it."""

    code = "organization_not_open"
    status = 409

    def __init__(self, state: str) -> None:
        super().__init__(f"the organization is {state}")
        self.state = state


class TooManyOrganizations(Refusal):
    """The person has a role in the maximum number of organizations."""

    code = "too_many_organizations"
    status = 409

    def __init__(self, organizations_max: int) -> None:
        super().__init__(f"a person can have a role in at most {organizations_max} organizations")
        self.organizations_max = organizations_max


class TooManyMembers(Refusal):
    """The organization has the maximum number of members."""

    code = "too_many_members"
    status = 409

    def __init__(self, members_max: int) -> None:
        super().__init__(f"{members_max} members")
        self.members_max = members_max


class TooManyInvitations(Refusal):
    """The maximum number of invitations in a day was sent, by the organization or to the address."""

    code = "too_many_invitations"
    status = 409

    def __init__(self, invitations_max: int) -> None:
        super().__init__(f"more than {invitations_max} invitations within a day")
        self.invitations_max = invitations_max


class AlreadyMember(Refusal):
    """The person already has a role in the organization; the role can be changed, but not given twice."""

    code = "already_member"
    status = 409


class InvitationForAnother(Refusal):
    """The invitation was sent to another address than that of the account; this other address is not revealed."""

    code = "invitation_for_another"
    status = 403


class InvitationSpent(Refusal):
    """The link belongs to no invitation, or its invitation has expired, was used or was withdrawn."""

    code = "invitation_spent"
    status = 410


class LastOwner(Refusal):
    """The organization would lose its last owner."""

    code = "last_owner"
    status = 409


@refusal_of_database
class MemberLimitReached(Refusal):
    """The member needs more stamps than are `left` of its monthly limit."""

    code = "member_limit_reached"
    status = 409

    def __init__(self, needed: int, left: int, limit: int) -> None:
        super().__init__(f"{needed} stamps asked for, {left} of {limit} left this month")
        self.needed = needed
        self.left = left
        self.limit = limit


class CodeWrong(Refusal):
    """The code is not the code that was sent; `tries_left` tries remain.

    Each mail has a separate code, valid only on the page that requested it.  The newest of several mails may belong
    to another page, so `mailed_at` tells the person which mail is the right one.
    """

    code = "code_wrong"
    status = 422

    def __init__(self, tries_left: int, mailed_at: datetime) -> None:
        super().__init__(f"another code was sent; {tries_left} tries remain")
        self.tries_left = tries_left
        self.mailed_at = mailed_at


class CodeIncomplete(Refusal):
    """The typed code has a wrong number of digits; it is not checked and does not count as a try."""

    code = "code_incomplete"
    status = 422


class CodeSpent(Refusal):
    """The code expired, was used or was tried too often; a new code is needed."""

    code = "code_spent"
    status = 422


class LinkSpent(Refusal):
    """The sign-in link expired, was used, or was not made by us."""

    code = "link_spent"
    status = 422


class TooManyCodes(Refusal):
    """The hourly quota of codes of the address or network, or the quota of unused codes, is used up.

    A code may be requested again from `retry_at`, unless another request uses the quota first.
    """

    code = "too_many_codes"
    status = 429
    # quotas of an address and its networks; the answer does not reveal which quota is used up
    quota = ("sign_in_codes", "")

    def __init__(self, until: datetime) -> None:
        # Rounded up, since it is shown to the minute.
        whole = until.replace(second=0, microsecond=0)
        self.retry_at = whole if whole == until else whole + timedelta(minutes=1)
        super().__init__(
            f"too many codes were requested lately; again possible at {self.retry_at.isoformat()}"
        )


@refusal_of_database
class SignUpClosed(Refusal):
    """The address has no account, and sign-up is closed since `closed_at`; existing accounts sign in.

    The refusal comes after the code or link of a mail, so only a person who reads the mail of the address learns that
    it has no account.
    """

    code = "sign_up_closed"
    status = 503
    retry_after_seconds = 60

    def __init__(self, closed_at: str) -> None:
        super().__init__(f"sign-up has been closed since {closed_at}")
        self.closed_at = closed_at  # text in the time format of the database

    def facts(self) -> dict[str, object]:
        """Return the values that the message of the refusal contains, with `closed_at` as a datetime."""
        return {"closed_at": datetime.fromisoformat(self.closed_at)}


class PasskeyRefused(Refusal):
    """The answer of the authenticator is invalid; the response to the client does not reveal the reason."""

    code = "passkey_refused"
    status = 422


class CredentialTaken(Refusal):
    """The credential is a passkey of another account already, and a credential can belong to one account only."""

    code = "credential_taken"
    status = 409


class TooManyPasskeys(Refusal):
    """The account has the maximum number of passkeys."""

    code = "too_many_passkeys"
    status = 409

    def __init__(self, passkeys_max: int) -> None:
        super().__init__(f"at most {passkeys_max} passkeys can be in use")
        self.passkeys_max = passkeys_max


class TooManyKeys(Refusal):
    """The account has the maximum number of API keys."""

    code = "too_many_keys"
    status = 409

    def __init__(self, keys_max: int) -> None:
        super().__init__(f"at most {keys_max} API keys can be in use")
        self.keys_max = keys_max


class ScopeNotHeld(Refusal):
    """The new key would have the permission `scope`, which its maker lacks."""

    code = "scope_not_held"
    status = 403

    def __init__(self, scope: str) -> None:
        super().__init__(f"the maker does not have the permission {scope}")
        self.scope = scope


class KeyOver(Refusal):
    """The key has ended or expired, so it gets no successor; a new key must be made instead."""

    code = "key_over"
    status = 409


class KeyReplaced(Refusal):
    """The key already has a successor."""

    code = "key_replaced"
    status = 409


class KeyAlreadyMade(Refusal):
    """The same form made a key before; the text of the key was shown then, and is not stored."""

    code = "key_already_made"
    status = 409


@dataclass(frozen=True, slots=True)
class Contact:
    """Address and language of mails to an account."""

    email: str
    language: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """A request for a sign-in code, with the number of tries of this code so far."""

    email: str
    expires_at: datetime
    used_at: datetime | None
    tries: int
    leads_to: str  # path of ours at which the sign-in began

    def is_spent(self, now: datetime, tries_max: int, again_since: datetime | None) -> bool:
        """True if the challenge accepts no code any more. A challenge that was first used after `again_since` still accepts its
        code once more.
        """
        is_used = self.used_at is not None and (again_since is None or self.used_at <= again_since)
        return is_used or self.expires_at <= now or self.tries >= tries_max

    def is_link_over(self, now: datetime, again_since: datetime, code_lives: timedelta) -> bool:
        """True if the link of the mail does not work any more.

        Tries with wrong codes do not end the link, because whoever guesses codes does not have the mail.
        """
        is_used = self.used_at is not None and self.used_at <= again_since
        return is_used or self.expires_at - code_lives + max(LINK_LIVES, code_lives) <= now


@dataclass(frozen=True, slots=True)
class TriedChallenge(Challenge):
    """A challenge as it was before a try of its code; `account` is the account to which the try signed in, None if the try
    failed.
    """

    account: UUID | None
    language: str | None


class OpenedAccount(NamedTuple):
    """The account of a completed sign-in, and its language; the language is None if the account needs a passkey."""

    account: UUID
    language: str | None


class CodeLimits(NamedTuple):
    """Maximum numbers of codes sent within an hour, and of unused codes at one time."""

    of_address: int
    of_devices: int  # of all devices together that signed in with the address before
    of_network: int
    outstanding: int  # of an address, or of one device


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """The stored data of a session or API key in use."""

    secret_hash: bytes
    language: str  # of its account
    made_at: datetime
    last_used_at: datetime | None
    acts_for: UUID | None = None  # organization that a session acts for
    staff: Sequence[str] = ()  # roles of staff, where a passkey opened the session
    is_by_passkey: bool = False  # of a session
    scopes: Sequence[str] | None = None  # of a key; None: all that a key may have


class StaffOfAddress(NamedTuple):
    """A member of staff: account, mail address, roles."""

    account: UUID
    email: str
    roles: Sequence[str]


class ActingFor(NamedTuple):
    """The organization that a session acts for: its name and the person's role."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """Scopes, end and maker of a new API key.

    `scopes` None means every permission that a key may have.  `held` are the permissions of the maker; None for an
    operator, who may give any permission.
    """

    scopes: frozenset[str] | None = None
    expires_at: datetime | None = None
    made_by: UUID | None = None
    held: frozenset[str] | None = None
    follows: UUID | None = None  # the key that this one replaces


class Replacement(NamedTuple):
    """Request to replace an API key: the key, the overlap in hours, and the id of the successor."""

    key: UUID
    overlap_hours: int
    successor: UUID


@dataclass(frozen=True, slots=True)
class StoredKey:
    """The stored data of an API key that is to be replaced."""

    name: str
    scopes: Sequence[str] | None
    made_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    successor: UUID | None


@dataclass(frozen=True, slots=True)
class KeyOfAccount:
    """An API key that ends soon, and its account."""

    account: UUID
    key: UUID
    name: str
    expires_at: datetime


class KeyMaker(NamedTuple):
    """The person who made a key of an organization; `has_left` is True if the person no longer has a role in it."""

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
    warns: Sequence[str]  # names of its numbers in an unknown format
    state: OrganizationState
    made_at: datetime


class PlaceOf(NamedTuple):
    """An organization in which a person has a role, and this role."""

    account: UUID
    name: str
    state: OrganizationState
    role: Role


@dataclass(frozen=True, slots=True)
class Member:
    """A person with a role in an organization, the monthly limit of stamps of this person, and the number of stamps that count
    against the limit this month.
    """

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
        """Public id of the invitation."""
        return show(INVITATION_KIND, self.id)

    def is_over(self, now: datetime) -> bool:
        """True if the invitation can no longer be accepted."""
        return self.state != InvitationState.SENT or self.expires_at <= now


@dataclass(frozen=True, slots=True)
class ApiKeyView:
    """An API key as its owner sees it, without its text, which only the holder has."""

    id: str
    name: str
    scopes: Sequence[str]
    made_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    ended_at: datetime | None
    replaces: str | None

    def is_over(self, now: datetime) -> bool:
        """True if the key has ended or expired."""
        return self.ended_at is not None or (self.expires_at is not None and self.expires_at <= now)


@dataclass(frozen=True, slots=True)
class AccountTold:
    """An account, and its organization if it is the account of an organization."""

    email: str
    made_at: datetime
    organization: str | None
    organization_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its owner sees it: browser, system and times."""

    id: str
    browser: str
    system: str
    begun_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredPasskey:
    """A passkey in use, with the data to verify the answers of its authenticator."""

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
    """Return the permissions that these roles of staff have together."""
    return frozenset().union(*(STAFF_PERMISSIONS[StaffRole(one)] for one in roles))


def key_permissions(scopes: Sequence[str] | None) -> frozenset[str]:
    """Return the permissions of an API key with these scopes; None means every permission that a key may have."""
    return KEY_PERMISSIONS if scopes is None else KEY_PERMISSIONS.intersection(scopes)


def is_recent(made_at: datetime, now: datetime) -> bool:
    """True if a credential was made so recently that somebody may have made it with a stolen session."""
    return now - made_at <= RECENT


def normalized(email: str) -> str:
    """Return a mail address in the form that is stored and compared.  Refuses `Malformed`."""
    text = email.strip().lower()
    if len(text) > EMAIL_LENGTH_MAX or not _EMAIL.match(text):
        raise Malformed("email", "email")
    return text


def key_name(text: str) -> str:
    """Return the typed name of an API key, with single spaces.  Refuses `Malformed`."""
    return _name(text, "name", KEY_NAME_LENGTH_MAX)


def organization_name(text: str) -> str:
    """Return the typed name of an organization.  Refuses `Malformed`, also for a name with a web address, because mails
    to strangers contain the name.
    """
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
    """Return a typed limit of stamps per month; None if the text is empty.  Refuses `Malformed`."""
    if not text.strip():
        return None
    limit = counted(text.strip())
    if limit is None or limit > STAMPS_PER_MONTH_MAX:
        raise Malformed("stamps_per_month", "whole_number")
    return limit


def code_of(key: bytes, challenge: UUID) -> str:
    """Return the six digits of the code of a challenge.  They are derived from a key that is not in the database, so a
    copy of the database does not reveal them.
    """
    digest = hmac.digest(key, challenge.bytes, hashlib.sha256)
    return f"{int.from_bytes(digest[:8]) % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def asked_mark(key: bytes, challenge: UUID) -> str:
    """Return the mark of the browser that requested the code of a challenge.

    No mail and no URL contains the mark, so no other browser has it.  The mark alone does not sign in.
    """
    digest = hmac.digest(key, b"asked:" + challenge.bytes, hashlib.sha256)[:_MARK_BYTES]
    return urlsafe_b64encode(digest).decode().rstrip("=")


def link_secret(key: bytes, challenge: UUID) -> str:
    """Return the secret in the sign-in link of a mail.  It has 128 bits, so tries need not be counted."""
    return hmac.digest(key, b"link:" + challenge.bytes, hashlib.sha256)[:_MARK_BYTES].hex()


@dataclass(frozen=True, slots=True)
class Credential:
    """A bearer credential of a key, session or invitation: account and id of its row, and a secret."""

    account: UUID
    id: UUID
    secret: str

    @classmethod
    def fresh(cls, account: UUID, identifier: UUID) -> "Credential":
        """Return a credential with a new random secret, for a row with this account and id."""
        return cls(account, identifier, secrets.token_urlsafe(SECRET_BYTES))

    @classmethod
    def for_invitation(cls, key: bytes, account: UUID, invitation: UUID) -> "Credential":
        """Return the credential in the link of an invitation.  It is derived from a key that is not in the database, so no
        row contains it.
        """
        digest = hmac.digest(key, b"invitation:" + account.bytes + invitation.bytes, hashlib.sha256)
        secret = urlsafe_b64encode(digest[:SECRET_BYTES]).decode()
        return cls(account, invitation, secret)

    def text(self, prefix: str = "") -> str:
        """Return the credential as text for its holder."""
        return f"{prefix}{compact(self.account)}{compact(self.id)}{self.secret}"

    @classmethod
    def read(cls, text: str, prefix: str = "") -> "Credential":
        """Parse the text of a credential that a client sent.  Refuses `SignInRequired`."""
        rest = text.removeprefix(prefix)
        if len(rest) != _CREDENTIAL_LENGTH or not text.startswith(prefix):
            raise SignInRequired("not a credential")
        try:
            return cls(from_compact(rest[:26]), from_compact(rest[26:52]), rest[52:])
        except ValueError:
            raise SignInRequired("not a credential") from None

    def hash(self) -> bytes:
        """Return the hash to store; the secret has 192 random bits, so an unsalted hash is enough."""
        return hashlib.sha256(self.secret.encode()).digest()

    def opens(self, stored: bytes) -> bool:
        """True if `stored` is the hash of this credential's secret."""
        return hmac.compare_digest(self.hash(), stored)


def address_digest(account: UUID, email: str) -> str:
    """Return the digest of a mail address for the audit trail."""
    return hashlib.sha256(account.bytes + email.encode()).hexdigest()


def session_digest(secret_hash: bytes) -> str:
    """Return the digest of a session or an invitation for the audit trail: a hash of the hash of its secret."""
    return hashlib.sha256(secret_hash).hexdigest()


def organization_digest(account: UUID, name: str, npwp: str, nib: str) -> str:
    """Return the digest of an organization for the audit trail; the digest does not reveal the name and the numbers."""
    return hashlib.sha256(account.bytes + "\n".join((name, npwp, nib)).encode()).hexdigest()


def key_digest(secret_hash: bytes, name: str) -> str:
    """Return the digest of an API key for the audit trail; the digest does not reveal the name of the key."""
    return hashlib.sha256(secret_hash + name.encode()).hexdigest()


def passkey_digest(credential: bytes, public_key: bytes, name: str) -> str:
    """Return the digest of a passkey for the audit trail."""
    return hashlib.sha256(credential + public_key + name.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KnownBrowser:
    """Content of the device cookie: an id, and a mark (HMAC) for each mail address that signed in with this browser.

    The cookie authenticates nobody.  It gives the browser a separate quota of codes, so that a stranger who uses up
    the codes of an address does not lock out its owner.
    """

    id: UUID
    marks: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> "KnownBrowser | None":
        """Parse the device cookie; None if it is malformed.  The marks are checked later, by `knows`."""
        if not text.isascii():
            return None
        name, *marks = text.split(".")
        try:
            return cls(from_compact(name), tuple(marks[:ADDRESSES_PER_DEVICE_MAX]))
        except ValueError:
            return None

    @classmethod
    def fresh(cls) -> "KnownBrowser":
        """Return the cookie content for a browser with which nobody has signed in."""
        return cls(new_id())

    def text(self) -> str:
        """Return the text of the device cookie."""
        return ".".join((compact(self.id), *self.marks))

    def _mark(self, key: bytes, email: str) -> str:
        about = b"device:" + self.id.bytes + email.encode()
        digest = hmac.digest(key, about, hashlib.sha256)[:_MARK_BYTES]
        return urlsafe_b64encode(digest).decode().rstrip("=")

    def knows(self, key: bytes, email: str) -> bool:
        """True if this mail address has signed in with this browser."""
        mark = self._mark(key, email).encode()
        return any(hmac.compare_digest(mark, one.encode()) for one in self.marks)

    def with_address(self, key: bytes, email: str) -> "KnownBrowser":
        """Return the cookie content with the mark of this mail address added."""
        mark = self._mark(key, email)
        others = tuple(one for one in self.marks if one != mark)
        return KnownBrowser(self.id, (mark, *others)[:ADDRESSES_PER_DEVICE_MAX])
