"""Commands about accounts."""

import asyncio
from typing import Annotated, Literal

from cyclopts import Parameter

from meterai.accounts import AccountDesk
from meterai.apps.instance import database_of
from meterai.apps.options import NO_OPTIONS, Options, line
from meterai.kit.clock import SystemClock
from meterai.kit.ids import show
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database
from meterai.plumbing.keyring import keyring_of
from meterai.plumbing.migrations import migrate


def create(
    email: str,
    options: Options = NO_OPTIONS,
    *,
    api_key: Annotated[bool, Parameter(name="--api-key", negative="")] = False,
    language: Literal["id", "en"] = "id",
) -> None:
    """Make an account (or find it), and with --api-key a key, printed once, on the last line."""

    async def make(settings: Settings) -> None:
        key = keyring_of(settings).derived("sign-in")
        database = Database(settings.database_url, connections=1)
        await database.open()
        try:
            desk = AccountDesk(database, key, settings, SystemClock())
            account = await desk.create(email, language)
            line(f"account {show('acc', account)}")
            if api_key:
                line(await desk.create_api_key(account, "command line"))
        finally:
            await database.close()

    with database_of(options.settings()) as settings:
        migrate(settings.database_url)
        asyncio.run(make(settings))
