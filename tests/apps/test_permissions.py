"""Every route of the application, requested over HTTP in every role: the answers match the table of permissions."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from meterai.accounts import AccountService, KeyTerms
from meterai.accounts.agents import UNKNOWN
from meterai.accounts.model import (
    KEY_PERMISSIONS,
    OPEN,
    PERMISSIONS,
    PERSONAL,
    STAFF_PERMISSIONS,
    Permission,
    Role,
    StaffRole,
)
from meterai.accounts.room import SIGN_IN_KEY
from meterai.accounts.service import COOKIE
from meterai.accounts.sessions import PERSON, open_session
from meterai.kit.clock import SystemClock
from meterai.kit.ids import new_id
from meterai.plumbing.http.requests import cookie_name
from scripts.permissions import Asked, document, routes_of
from tests.support.desk import sit_down
from tests.support.shop import TESTER
from tests.support.within import Asking, Given, Within, settings_of, within

NOBODY_SIGNED_IN, NOT_PERMITTED, KEY_NEEDED = (
    "sign_in_required",
    "not_permitted",
    "api_key_required",
)


@dataclass(frozen=True, slots=True)
class Asker:
    """A caller in a role: headers of its requests, and its permissions."""

    name: str
    headers: Mapping[str, str]
    permissions: frozenset[Permission]
    is_session: bool = True

    def refusal(self, asked: Asked) -> str | None:
        """Code with which the guard refuses this request; None if it passes."""
        if asked.permission in OPEN:
            return None
        if not self.headers:
            return NOBODY_SIGNED_IN
        if self.is_session and asked.is_command_of_api:
            return KEY_NEEDED
        return None if asked.needs <= self.permissions else NOT_PERMITTED


async def key_of(accounts: AccountService, name: str, scopes: frozenset[Permission]) -> Asker:
    account = await accounts.create(f"{name}@example.id", actor=TESTER)
    terms = KeyTerms(scopes=frozenset(scopes))
    text = await accounts.create_api_key(account, name, actor=TESTER, terms=terms)
    return Asker(f"key {name}", {"Authorization": f"Bearer {text}"}, scopes, is_session=False)


async def by_mail(web: Within, account: UUID) -> str:
    """The cookie of a session opened by mail."""
    now = SystemClock().now()
    async with web.container.database.transaction() as tx:
        lives = now, now + timedelta(hours=1)
        session = await open_session(tx, account, lives, UNKNOWN, actor=PERSON)
    return f"{cookie_name(COOKIE, web.container.settings.process)}={session.text()}"


async def member(web: Within, organization: UUID, role: Role) -> Asker:
    """A person whose session acts for an organization in this role."""
    database = web.container.database
    account = await web.container.of(AccountService).create(f"{role}@example.id", actor=TESTER)
    cookie = await by_mail(web, account)
    await database.call(
        "INSERT INTO memberships (account_id, membership_id, member_id, role) VALUES (%s, %s, %s, %s)",
        organization,
        new_id(),
        account,
        role,
    )
    await database.call(
        "UPDATE sessions SET acts_for = %s WHERE account_id = %s", organization, account
    )
    return Asker(role, {"Cookie": cookie}, PERMISSIONS[role] | PERSONAL)


async def staff_member(web: Within, role: StaffRole) -> Asker:
    held = web.container
    key = held.keyring.derived(SIGN_IN_KEY)
    desk = await sit_down(held.database, key, held.settings, role)
    own = PERMISSIONS[Role.OWNER] | PERSONAL
    return Asker(f"staff {role}", {"Cookie": desk.cookie}, STAFF_PERMISSIONS[role] | own)


async def staff_member_by_mail(web: Within) -> Asker:
    """A supervisor in a session without a passkey, which has no rights of staff."""
    held = web.container
    key = held.keyring.derived(SIGN_IN_KEY)
    desk = await sit_down(held.database, key, held.settings, StaffRole.SUPERVISOR)
    cookie = await by_mail(web, desk.account)
    return Asker("staff by mail", {"Cookie": cookie}, PERMISSIONS[Role.OWNER] | PERSONAL)


async def everybody(web: Within) -> list[Asker]:
    accounts = web.container.of(AccountService)
    organization = await accounts.create("pt@example.id", actor=TESTER)
    await web.container.database.call(
        "INSERT INTO organizations (account_id, name) VALUES (%s, 'PT Contoh')", organization
    )
    return [
        Asker("visitor", {}, frozenset()),
        await key_of(accounts, "all", KEY_PERMISSIONS),
        await key_of(accounts, "none", frozenset()),
        await key_of(accounts, "reading", frozenset({Permission.ORDER_READ})),
        await key_of(accounts, "ordering", frozenset({Permission.ORDER_CREATE})),
        *[await member(web, organization, role) for role in Role],
        *[await staff_member(web, role) for role in StaffRole],
        await staff_member_by_mail(web),
    ]


def code_of(given: Given) -> str | None:
    """Code of a refusal, None for another answer or a page."""
    if given.status < 400:
        return None
    try:
        told = json.loads(given.body)
    except ValueError:
        return None
    return told.get("code") if isinstance(told, dict) else None


async def disagreements(web: Within, asker: Asker, routes: list[Asked]) -> list[str]:
    """Answers that contradict the table of permissions."""
    guarded = {NOBODY_SIGNED_IN, NOT_PERMITTED, KEY_NEEDED}
    headers = [(name.lower().encode(), value.encode()) for name, value in asker.headers.items()]
    found = []
    for asked in routes:
        given = await web.ask(Asking(asked.method, asked.filled.encode(), list(headers)))
        code, wanted = code_of(given), asker.refusal(asked)
        is_right = code == wanted if wanted else code not in guarded or asked.permission in OPEN
        if wanted == NOT_PERMITTED and is_right:
            is_right = given.status == 403 and (
                json.loads(given.body)["permission"] in asked.needs - asker.permissions
            )
        if not is_right:
            told = f"{given.status} {code}, not {wanted or 'let through'}"
            found.append(f"{asker.name}: {asked.method} {asked.path} ({asked.permission}): {told}")
    return found


def test_every_route_answers_every_role_as_documented(database_url: str, tmp_path: Path) -> None:
    async def act() -> None:
        async with within(settings_of(database_url, tmp_path)) as web:
            routes = routes_of(web.app)
            page = document()
            assert all(f"| `{one.method} {one.shown}` |" in page for one in routes), "named there"
            assert len(routes) == page.count("\n| `"), "and nothing else is"
            found = [
                one
                for asker in await everybody(web)
                for one in await disagreements(web, asker, routes)
            ]
            assert not found, "\n".join(found)

    asyncio.run(act())
