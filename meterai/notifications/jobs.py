"""Event handlers of notifications."""

from meterai.accounts import NOBODY
from meterai.notifications.service import queue_to
from meterai.plumbing.database import Tx
from meterai.plumbing.jobs import Job, gives_up


@gives_up
async def queue_sign_in_code(tx: Tx, job: Job) -> None:
    """A sign-in code was asked for: queue the mail that carries it."""
    challenge = job.text("challenge")
    await queue_to(
        tx,
        NOBODY,
        job.text("email"),
        job.text("language"),
        f"sign_in:{challenge}",
        "sign_in_code",
        {"challenge": challenge},
    )
