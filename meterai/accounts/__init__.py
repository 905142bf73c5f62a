"""Accounts: people and organizations, sign-in, sessions and API keys.

Promises this room keeps
  * There are no passwords: sign-in is by a code sent to the address, short-lived, with few tries,
    compared in constant time, and stored nowhere.  The mail has a link too, which opens for an hour.
  * An address and a network get so many codes in an hour and no more, however many ask at the
    same time; nobody else uses up those of a device that the address signed in with before, and
    whoever is refused a code has a mail whose link still opens.  It leads back to where the
    sign-in began, and nowhere else.
  * A session and an API key are known to us only by their hash and can be ended by whoever they
    belong to; five seconds later they open nothing.  An account sees its sessions and its keys, when
    they were made and last used.
  * A passkey or an API key is made by whoever proved a moment ago who they are, and the owner of
    the account is told by mail.
  * An API key may do what its scopes say, which its maker could do, until its end; it is replaced by one
    successor, and both open for the overlap.
  * Staff sign in by a passkey alone, and somebody stays who says who is staff.
  * Every route declares a permission, and one guard asks whether the caller has it in the account that it
    acts for: its own, or an organization in which it has a role.
  * An organization is an account that nobody signs in to.  It always has an owner, and each change of its
    members is in its trail.  An invitation opens once, for one address.
  * While sign-up is closed no address gets an account by signing in; accounts that are there sign in.
  * A member with a limit uses no more stamps in a month, however many requests ask at once.

Calls trail.  Its pages stand on `pages`.  Is called by every room that needs to know who is asking.
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
from meterai.accounts.roles import check_stamps_left, use_stamps
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
