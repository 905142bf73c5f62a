"""Event handlers of stamps."""

from meterai.plumbing.database import Tx
from meterai.plumbing.jobs import Job
from meterai.stamps import store


async def enter_directory(tx: Tx, job: Job) -> None:
    """A stamping was delivered: enter its serials, with their account, into the directory."""
    await store.enter_directory(tx, job.account, job.uuid("stamping"))
