"""Accounts, as the applications see the room."""

from meterai.accounts import pages
from meterai.accounts.invariants import INVARIANTS
from meterai.accounts.retention import RETENTION
from meterai.accounts.routes import routes
from meterai.accounts.service import AccountService
from meterai.accounts.settings import AccountSettings
from meterai.room import Container, Room

SIGN_IN_KEY = "sign-in"  # what the key is derived for that makes codes and sessions


async def _build(container: Container) -> None:
    key = container.keyring.derived(SIGN_IN_KEY)
    container.add(AccountService(container.database, key, container.settings, container.clock))


ROOM = Room(
    name="accounts",
    tables=frozenset(
        {
            "accounts",
            "email_directory",
            "organizations",
            "memberships",
            "staff_roles",
            "sessions",
            "api_keys",
            "sign_in_challenges",
        }
    ),
    settings=AccountSettings,
    build=_build,
    services={"accounts": AccountService},
    routes=(*routes, *pages.routes),
    pages=pages.PAGES,
    invariants=INVARIANTS,
    retention=RETENTION,
)
