"""Commands about the object store."""

from meterai.apps.instance import with_database
from meterai.apps.options import NO_OPTIONS, By, Options, line, operator
from meterai.documents import DocumentService, DocumentSettings
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
