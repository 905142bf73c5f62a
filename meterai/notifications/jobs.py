"""Event handlers of notifications."""

from meterai.accounts import NOBODY
from meterai.accounts.events import SignInAsked
from meterai.notifications.service import queue_to
from meterai.plumbing.database import Tx
from meterai.plumbing.events import on


async def queue_sign_in_code(tx: Tx, event: SignInAsked) -> None:
    """A sign-in code was asked for: queue the mail that carries it."""
    challenge = str(event.challenge)
    await queue_to(
        tx,
        NOBODY,
        event.email,
        event.language,
        f"sign_in:{challenge}",
        "sign_in_code",
        {"challenge": challenge},
    )


HANDLERS = (on(SignInAsked, queue_sign_in_code, gives_up=True),)
