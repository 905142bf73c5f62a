"""Sign-up, which makes accounts for new addresses; staff close and open it."""

from datetime import datetime
from functools import partial

from meterai import trail
from meterai.accounts import store
from meterai.accounts.model import NOBODY, Permission
from meterai.commands import Effect, Forecast, Lever, NoArguments, Pull
from meterai.kit.actor import Actor
from meterai.plumbing.db.database import ReadTx, Tx


async def sign_up_closed_at(tx: ReadTx) -> datetime | None:
    """Return the time since which sign-up is closed; None while it is open."""
    return await store.sign_up_closed_at(tx)


async def set_sign_up(tx: Tx, *, is_open: bool, actor: Actor) -> None:
    """Open or close sign-up; a repeat changes nothing."""
    if await store.set_sign_up(tx, is_open=is_open):
        action = "sign_up_opened" if is_open else "sign_up_closed"
        await trail.record(tx, NOBODY, actor=actor, action=action, subject="sign_up")


async def _would_set(tx: ReadTx, _: NoArguments, _pull: Pull, *, is_open: bool) -> Forecast:
    is_changed = (await sign_up_closed_at(tx) is None) != is_open
    word = "sign_up_opens" if is_open else "sign_up_closes"
    return Forecast([Effect(word)], rows=int(is_changed))


async def _set(tx: Tx, _: NoArguments, pull: Pull, *, is_open: bool) -> None:
    await set_sign_up(tx, is_open=is_open, actor=pull.actor)


def _lever(name: str, *, is_open: bool) -> Lever:
    return Lever(
        name=name,
        permission=Permission.CONSOLE_OPERATIONS,
        arguments=NoArguments,
        forecast=partial(_would_set, is_open=is_open),
        carry_out=partial(_set, is_open=is_open),
    )


CLOSE = _lever("sign-up close", is_open=False)
OPEN = _lever("sign-up open", is_open=True)
LEVERS = (CLOSE, OPEN)
