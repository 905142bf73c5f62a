"""What the guest book does when something happened."""

from meterai.plumbing.db.database import Tx
from meterai.plumbing.work.events import on
from tests.toy import store
from tests.toy.events import GuestEntered
from tests.toy.metrics import GUESTS


async def welcome(tx: Tx, event: GuestEntered) -> None:
    """Whoever was entered is welcomed."""
    await store.welcome(tx, event.account, event.guest)
    GUESTS.labels(what="welcomed").inc()


HANDLERS = (on(GuestEntered, welcome, gives_up=False),)
