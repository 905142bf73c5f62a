"""Accounts: people and organizations, sign-in, sessions and API keys.

Promises this room keeps
  * There are no passwords: sign-in is by a code sent to the mail address.  The code is valid for a short time, allows
    few tries, is compared in constant time, and is not stored.  The mail also contains a link that is valid for an
    hour.
  * An address and a network get a limited number of codes an hour, also under concurrency.  A device that signed in
    with the address before has a separate quota.  A person who is refused a code has already received a mail whose
    link is still valid; the link leads to the page where the sign-in began, and nowhere else.
  * Sessions and API keys are stored as hashes, and their owner can end them; five seconds later every process rejects
    them.  An account sees its sessions and keys, with the times when they were made and last used.
  * Making a passkey or an API key needs a fresh proof, and the owner of the account gets a mail.
  * The permissions of an API key are its scopes.  A person can give a key only permissions that the person has.
  * An API key has at most one successor, and works beside it for a limited time.
  * Staff sign in by passkey alone, and the role of the last supervisor cannot be ended.
  * Every route declares a permission.  One guard checks that the caller has this permission in the account it acts
    for: the account of the person, or an organization in which the person has a role.
  * An organization is an account to which nobody signs in.  It always has an owner, and each change of its members is
    recorded in its audit trail.  An invitation is accepted once, by one address.
  * While sign-up is closed no new address gets an account; existing accounts sign in.
  * A member with a monthly limit of stamps never uses more stamps in a month, also under concurrency.

Calls the room trail.  Its pages use the room `pages`.  Every room that needs the caller of a request calls this room.
"""

from meterai.accounts.addresses import (
    account_known,
    account_named,
    account_of_address,
    contact,
    organization_called,
    organization_of,
)
from meterai.accounts.codes import CodeService
from meterai.accounts.erasing import (
    end_access,
    is_erased,
    people_after,
    person_of,
    remove_from_directory,
)
from meterai.accounts.guard import is_fresh, require_permission
from meterai.accounts.invariants import ERASED
from meterai.accounts.levers import LEVERS
from meterai.accounts.members import check_stamps_left, use_stamps
from meterai.accounts.model import (
    ACCOUNT_KIND,
    KEY_KIND,
    NOBODY,
    PERMISSIONS,
    ApiKeyView,
    Contact,
    KeyTerms,
    MemberLimitReached,
    MembershipEnded,
    NotPermitted,
    Permission,
    Role,
    StaffRole,
    is_recent,
    normalized,
)
from meterai.accounts.organizations import OrganizationService
from meterai.accounts.pages import SigningIn
from meterai.accounts.passkeys import PasskeyService
from meterai.accounts.service import COOKIE, AccountService, account_of
from meterai.accounts.settings import AccountSettings
from meterai.accounts.sign_up import set_sign_up, sign_up_closed_at
from meterai.accounts.staff import (
    StaffMember,
    end_staff_role,
    first_supervisor,
    give_staff_role,
    has_supervisor,
    is_staff,
    permissions_of_staff,
    staff_by_address,
)

__all__ = [
    "ACCOUNT_KIND",
    "COOKIE",
    "ERASED",
    "KEY_KIND",
    "LEVERS",
    "NOBODY",
    "PERMISSIONS",
    "AccountService",
    "AccountSettings",
    "ApiKeyView",
    "CodeService",
    "Contact",
    "KeyTerms",
    "MemberLimitReached",
    "MembershipEnded",
    "NotPermitted",
    "OrganizationService",
    "PasskeyService",
    "Permission",
    "Role",
    "SigningIn",
    "StaffMember",
    "StaffRole",
    "account_known",
    "account_named",
    "account_of",
    "account_of_address",
    "check_stamps_left",
    "contact",
    "end_access",
    "end_staff_role",
    "first_supervisor",
    "give_staff_role",
    "has_supervisor",
    "is_erased",
    "is_fresh",
    "is_recent",
    "is_staff",
    "normalized",
    "organization_called",
    "organization_of",
    "people_after",
    "permissions_of_staff",
    "person_of",
    "remove_from_directory",
    "require_permission",
    "set_sign_up",
    "sign_up_closed_at",
    "staff_by_address",
    "use_stamps",
]
