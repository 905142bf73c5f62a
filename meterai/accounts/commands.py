"""Commands of accounts: accounts and API keys, supervisors, organizations that wait for approval."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC
from functools import partial
from typing import Annotated, Literal

from cyclopts import Parameter

from meterai.accounts import store
from meterai.accounts.model import ACCOUNT_KIND, KEY_PERMISSIONS, ApiKeyView, KeyTerms
from meterai.accounts.service import AccountService
from meterai.accounts.staff import first_supervisor, staff
from meterai.commands import (
    NO_OPTIONS,
    By,
    Options,
    Text,
    line,
    operator,
    text_only,
    with_database,
)
from meterai.kit.clock import SystemClock
from meterai.kit.ids import show
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.keyring import keyring_of


def _check_scopes(_kind: object, value: Sequence[str]) -> None:
    """Check that each scope is a permission that an API key may have."""
    if unknown := set(value) - KEY_PERMISSIONS:
        raise ValueError(
            f"Unknown scope: {min(unknown)}. The scopes are {', '.join(sorted(KEY_PERMISSIONS))}."
        )


Scopes = Annotated[
    tuple[str, ...],
    Parameter(
        name="--scope",
        negative="",
        validator=(text_only, _check_scopes),
        help="A scope of the key; may be given more than once.",
    ),
]
KeyName = Annotated[str, Parameter(help="The holder's name for the key.", validator=text_only)]


def _with_service(
    command: str, options: Options, act: Callable[[AccountService], Awaitable[None]]
) -> None:
    async def run(database: Database, settings: Settings) -> None:
        key = keyring_of(settings).derived("sign-in")
        await act(AccountService(database, key, settings, SystemClock()))

    with_database(command, options, run)


def create(
    email: Text,
    options: Options = NO_OPTIONS,
    *,
    api_key: Annotated[bool, Parameter(name="--api-key", negative="")] = False,
    name: KeyName = "command line",
    scope: Scopes = (),
    language: Literal["id", "en"] = "id",
    by: By = None,
) -> None:
    """Make an account, or find the account of EMAIL. With --api-key also make a key, printed once, on the last line.

    Without --scope the key has every permission that a key may have.
    """
    actor = operator(by)
    terms = KeyTerms(scopes=frozenset(scope) or None)

    async def make(service: AccountService) -> None:
        if api_key:
            account, key = await service.create_with_key(
                email, name, language, actor=actor, terms=terms
            )
            line(f"account {show('acc', account)}")
            line(key)
        else:
            line(f"account {show('acc', await service.create(email, language, actor=actor))}")

    _with_service("accounts create", options, make)


def keys(email: Text, options: Options = NO_OPTIONS) -> None:
    """Show the API keys of an account: id, times when made and last used, end, name, and scopes."""

    async def list_them(service: AccountService) -> None:
        for key in await service.api_keys(await service.account_of(email)):
            line(_shown(key))

    _with_service("accounts keys", options, list_them)


def first_staff(email: Text, options: Options = NO_OPTIONS, *, by: By = None) -> None:
    """Make an account a supervisor, while fewer than two supervisors exist. The account must have a passkey, and all sessions
    of the account end.
    """
    actor = operator(by)

    async def make(database: Database, _: Settings) -> None:
        account = await database.run(partial(first_supervisor, email=email, actor=actor))
        line(f"{show(ACCOUNT_KIND, account)} is a supervisor, and signs in by passkey only")

    with_database("staff first", options, make)


def list_staff(options: Options = NO_OPTIONS) -> None:
    """Show the staff of the operator: account, address, roles."""

    async def look(database: Database, _: Settings) -> None:
        for one in await database.once(staff):
            line(f"{one.shown} {one.email}: {', '.join(sorted(one.roles))}")

    with_database("staff list", options, look)


def _shown(key: ApiKeyView) -> str:
    used = f"used {key.last_used_at:%Y-%m-%dT%H:%MZ}" if key.last_used_at else "never used"
    ended = f", ended {key.ended_at:%Y-%m-%dT%H:%MZ}" if key.ended_at else ""
    ends = f", ends {key.expires_at.astimezone(UTC):%Y-%m-%dT%H:%MZ}" if key.expires_at else ""
    made = f"{key.id} made {key.made_at:%Y-%m-%dT%H:%MZ}"
    return f"{made}, {used}{ends}{ended}: {key.name} ({' '.join(sorted(key.scopes))})"


WAITING_SHOWN_MAX = 1_000  # organizations; nobody reads a longer list


def list_organizations(options: Options = NO_OPTIONS) -> None:
    """Show the organizations that wait for approval: account, time when made, NPWP, NIB, name."""

    async def show_them(database: Database, _settings: Settings) -> None:
        for one in await database.once(store.waiting_organizations, WAITING_SHOWN_MAX):
            warned = f" (unknown format: {', '.join(one.warns)})" if one.warns else ""
            made = f"{one.made_at:%Y-%m-%dT%H:%MZ}"
            numbers = f"NPWP {one.npwp or '-'}, NIB {one.nib or '-'}{warned}"
            line(f"{show(ACCOUNT_KIND, one.account)} made {made}, {numbers}: {one.name}")

    with_database("organizations list", options, show_them)
