"""Take another object store for the one of the database."""

from meterai.commands import NO_OPTIONS, By, Options, line, operator, with_database
from meterai.documents.service import DocumentService
from meterai.documents.settings import DocumentSettings
from meterai.kit.clock import SystemClock
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database
from meterai.plumbing.keyring import keyring_of
from meterai.plumbing.objects import ObjectStore


def adopt(options: Options = NO_OPTIONS, *, by: By = None) -> None:
    """Take the store of this machine for the one of the database: the old one is lost for good.

    Every other machine must see this store too, or it stops working.  Originals that were only in
    the old store stay unavailable; stamps and money lose nothing.
    """
    actor = operator(by)

    async def take(database: Database, settings: Settings) -> None:
        objects = ObjectStore(settings.process.directory, keyring_of(settings).derived("objects"))
        limits = settings.of(DocumentSettings)
        await DocumentService(database, objects, limits, SystemClock()).adopt_store(actor=actor)

    with_database("objects adopt", options, take)
    line("this object store belongs to the database from now on")
