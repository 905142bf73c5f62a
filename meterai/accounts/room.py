"""Registration of the room `accounts`."""

from collections.abc import Sequence

from meterai.accounts import pages
from meterai.accounts.audited import AUDITED
from meterai.accounts.codes import CodeService
from meterai.accounts.demands import DEMANDS, UNDEMANDED
from meterai.accounts.invariants import INVARIANTS, MAIL_CAUSES
from meterai.accounts.knows import KNOWS, WORK
from meterai.accounts.levers import LEVERS
from meterai.accounts.model import INVITATION, ORGANIZATION, OrganizationState, Role, StaffRole
from meterai.accounts.organizations import OrganizationService
from meterai.accounts.passkeys import PasskeyService
from meterai.accounts.personal import PERSONAL
from meterai.accounts.retention import RETENTION
from meterai.accounts.routes import routes
from meterai.accounts.service import AccountService
from meterai.accounts.settings import AccountSettings
from meterai.accounts.store import KEY_ENDS
from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.kit.subjects import SubjectKind, SubjectSort
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room

SIGN_IN_KEY = "sign-in"  # purpose of the derived key for codes and other secrets of sign-in


async def _build(container: Container) -> None:
    key = container.keyring.derived(SIGN_IN_KEY)
    given = container.database, key, container.settings, container.clock
    accounts, codes, passkeys = AccountService(*given), CodeService(*given), PasskeyService(*given)
    container.add(accounts)
    container.add(OrganizationService(*given, accounts))
    container.add(codes)
    container.add(passkeys)
    container.add(pages.SigningIn(codes, passkeys, accounts, container.settings))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    # A delay of an hour is small, since the mail is due a week before the end of a key.
    return [PeriodicTask(KEY_ENDS, container.of(AccountService).tell_of_ends, 3600.0)]


COMMANDS = (
    Command(
        "accounts create",
        "meterai.accounts.commands:create",
        Directory.NEEDED,
        DemandScope.DATABASE,
        Schema.CURRENT,
    ),
    Command(
        "accounts keys",
        "meterai.accounts.commands:keys",
        Directory.NEEDED,
        DemandScope.DATABASE,
        Schema.ANY,
    ),
    Command(
        "staff first",
        "meterai.accounts.commands:first_staff",
        Directory.NEEDED,
        DemandScope.DATABASE,
        Schema.CURRENT,
    ),
    Command(
        "staff list",
        "meterai.accounts.commands:list_staff",
        Directory.NEEDED,
        DemandScope.DATABASE,
        Schema.CURRENT,
    ),
    Command(
        "organizations list",
        "meterai.accounts.commands:list_organizations",
        Directory.NEEDED,
        DemandScope.DATABASE,
        Schema.CURRENT,
    ),
)

ROOM = Room(
    name="accounts",
    words={"role_is_known": [Role], "staff_role_is_known": [StaffRole]},
    subjects=[SubjectSort(SubjectKind.ACCOUNT, prefix="acc")],
    tables=frozenset(
        {
            "accounts",
            "organizations",
            "memberships",
            "member_uses",
            "invitations",
            "staff_roles",
            "sessions",
            "api_keys",
            "passkeys",
            "passkey_challenges",
        }
    ),
    global_tables={
        "email_directory": "finds the account of an address before any account is known",
        "passkey_directory": (
            "finds the account of a credential; its primary key proves that it "
            "belongs to one account"
        ),
        "sign_in_challenges": "before sign-in there is no account",
        "sign_up": "one row: whether new addresses can get an account",
    },
    lifecycles=(ORGANIZATION, INVITATION),
    settings=AccountSettings,
    build=_build,
    services={
        "accounts": AccountService,
        "codes": CodeService,
        "organizations": OrganizationService,
        "passkeys": PasskeyService,
        "signing_in": pages.SigningIn,
    },
    routes=(*routes, *pages.routes),
    fields={
        ("OrganizationView", "state"): FieldDescription(list(OrganizationState)),
        ("MemberView", "role"): FieldDescription(list(Role)),
    },
    examples={
        "key_id": "key_06f9k2...",
    },
    pages=pages.PAGES,
    tasks=_tasks,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
    commands=COMMANDS,
    command_groups={
        "accounts": "Accounts and API keys.",
        "staff": "Roles of the operator's staff.",
        "organizations": "Organizations that wait for approval.",
    },
    levers=LEVERS,
    knows=KNOWS,
    personal=PERSONAL,
    work=WORK,
    invariants=INVARIANTS,
    mail_causes=MAIL_CAUSES,
    audited=AUDITED,
    retention=RETENTION,
)
