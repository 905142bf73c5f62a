"""A member of staff: an account with a passkey and roles, and a session that the passkey opened.

Everything is made by the product's own commands, so that the audit trail is complete. For an instance the
session is opened over HTTP; otherwise by the service that the page calls.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from meterai.accounts import AccountService, PasskeyService, StaffRole, give_staff_role
from meterai.accounts.room import SIGN_IN_KEY
from meterai.accounts.service import COOKIE
from meterai.apps.settings import settings_of
from meterai.kit.clock import SystemClock
from meterai.kit.ids import new_id, show
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.requests import cookie_name
from meterai.plumbing.keyring import keyring_of
from tests.support.authenticator import Authenticator
from tests.support.instance import Client, Instance
from tests.support.shop import TESTER, Shop
from tests.support.walk_in import WalkIn

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Desk:
    """A person, its authenticator, and the session of its browser."""

    account: UUID
    email: str
    device: Authenticator
    cookie: str  # cookie that the browser sends: `session=...`
    form_token: str

    @property
    def shown(self) -> str:
        """The account as the audit trail shows it."""
        return show("acc", self.account)

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request of its browser."""
        return {"Accept": "text/html", "Cookie": self.cookie}

    def form(self, **fields: str) -> bytes:
        """The body of a form of its pages. Send it with `FORM` among the headers."""
        return urlencode({"form_token": self.form_token} | fields).encode()


def authenticator_of(settings: Settings) -> Authenticator:
    """An empty authenticator for the origin of these settings."""
    url = urlsplit(settings.process.url)
    return Authenticator(f"{url.scheme}://{url.netloc}", url.hostname or "")


async def make_passkey(passkeys: PasskeyService, account: UUID, device: Authenticator) -> None:
    """Make a passkey of an account on this authenticator."""
    asked = await passkeys.ask_to_make(account)
    answer = device.make(asked.options)
    await passkeys.make(account, "Ponsel", answer, asked.cookie, actor=TESTER)


async def sit_down(
    database: Database, key: bytes, settings: Settings, *roles: str, email: str = ""
) -> Desk:
    """Make an account with a passkey and these roles of staff, and a session opened by the passkey.

    `key` is the key from which accounts derive sign-in secrets. Without roles, the person is an ordinary user
    with a passkey.
    """
    given = database, key, settings, SystemClock()
    accounts, passkeys = AccountService(*given), PasskeyService(*given)
    email = email or f"{'-'.join(roles) or 'anybody'}-{new_id().hex[-8:]}@operator.example"
    account = await accounts.create(email, "en", actor=TESTER)
    device = authenticator_of(settings)
    await make_passkey(passkeys, account, device)
    async with database.transaction() as tx:
        for role in roles:
            await give_staff_role(tx, account, StaffRole(role), actor=TESTER)
    asked = passkeys.ask_to_sign_in()
    signed_in = await passkeys.sign_in(device.sign(asked.options), asked.cookie)
    caller = await accounts.caller_of(signed_in)
    cookie = f"{cookie_name(COOKIE, settings.process)}={signed_in.session}"
    return Desk(account, email, device, cookie, caller.form_token)


def staff_session(
    where: "Shop | WalkIn | Instance | str", *roles: str, email: str = "", key: bytes = b"k" * 32
) -> Desk:
    """Sign in a new person with these roles: in a shop, an application, an instance, or the database of a URL.

    `key` is used with a URL only: the key that the test gives to `AccountService`.
    """
    if isinstance(where, Shop):
        held = where.container
        derived = held.keyring.derived(SIGN_IN_KEY)
        return where.do(sit_down(held.database, derived, held.settings, *roles, email=email))
    if isinstance(where, str):
        return asyncio.run(_in_database(where, key, settings_of(), *roles, email=email))
    settings = where.settings if isinstance(where, Instance) else where.container.settings
    url = settings.process.database_url
    derived = (
        keyring_of(settings) if isinstance(where, Instance) else where.container.keyring
    ).derived(SIGN_IN_KEY)
    desk = asyncio.run(_in_database(url, derived, settings, *roles, email=email))
    return by_passkey(where, desk) if isinstance(where, Instance) else desk


async def _in_database(url: str, key: bytes, settings: Settings, *roles: str, email: str) -> Desk:
    database = Database(url, connections=2)
    await database.open()
    try:
        return await sit_down(database, key, settings, *roles, email=email)
    finally:
        await database.close()


def by_passkey(instance: Instance, desk: Desk) -> Desk:
    """The same person with a session that the passkey opened on the pages of an instance."""
    client = Client(instance.url)
    asked = client.post("/sign-in/passkey/options", b"", headers=FORM)
    answer = urlencode({"credential": desk.device.sign(asked.body.decode())}).encode()
    kept = _cookies(asked.headers)["passkey"]
    opened = client.post("/sign-in/passkey", answer, headers=FORM | {"Cookie": f"passkey={kept}"})
    assert opened.status == 303, (opened.status, opened.body)
    cookie = f"session={_cookies(opened.headers)['session']}"
    page = client.get("/account", headers={"Accept": "text/html", "Cookie": cookie}).body.decode()
    token = re.search(r'name="form_token" value="(\w+)"', page)
    assert token is not None, page
    return Desk(desk.account, desk.email, desk.device, cookie, token[1])


def _cookies(headers: Mapping[str, str]) -> dict[str, str]:
    return dict(re.findall(r"(\w+)=([^;,]+)", headers.get("set-cookie", "")))
