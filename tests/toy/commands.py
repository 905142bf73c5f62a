"""The command that lists the guest book."""

from meterai.commands import NO_OPTIONS, Options, line, with_database
from meterai.kit.ids import read
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from tests.toy.service import GuestService


def list_guests(account: str, options: Options = NO_OPTIONS) -> None:
    """Print the guests of an account, one a line, newest first."""

    async def look(database: Database, settings: Settings) -> list[str]:
        return await GuestService(database, settings).names(read("acc", account))

    for name in with_database("guests list", options, look):
        line(name)
