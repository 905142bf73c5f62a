"""Commands about the object store."""

import asyncio

from meterai.apps.instance import database_of
from meterai.apps.options import NO_OPTIONS, Options, line
from meterai.documents import DocumentService, DocumentSettings
from meterai.kit.clock import SystemClock
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database
from meterai.plumbing.keyring import keyring_of
from meterai.plumbing.migrations import migrate
from meterai.plumbing.objects import ObjectStore


def adopt(options: Options = NO_OPTIONS) -> None:
    """Take the store of this machine for the one of the database: the old one is lost for good.

    Every other machine must see this store too, or it stops working.  Originals that were only in
    the old store stay unavailable; stamps and money lose nothing.
    """

    async def run(settings: Settings) -> None:
        objects = ObjectStore(settings.process.directory, keyring_of(settings).derived("objects"))
        database = Database(settings.process.database_url, connections=1)
        await database.open()
        try:
            await DocumentService(
                database, objects, settings.of(DocumentSettings), SystemClock()
            ).adopt_store()
        finally:
            await database.close()

    with database_of(options.settings("objects adopt")) as settings:
        migrate(settings.process.database_url)
        asyncio.run(run(settings))
    line("this object store belongs to the database from now on")
