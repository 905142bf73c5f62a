"""Event handlers of the guest book."""

from meterai.plumbing.db.database import Tx
from meterai.plumbing.work.events import on
from tests.toy import store
from tests.toy.events import GuestEntered
from tests.toy.metrics import GUESTS


async def welcome(tx: Tx, event: GuestEntered) -> None:
    """Welcome a guest who was entered."""
    await store.welcome(tx, event.account, event.guest)
    GUESTS.labels(what="welcomed").inc()


HANDLERS = (on(GuestEntered, welcome, gives_up=False),)
