"""Levers (staff actions with a forecast) that take a payment rail out of use and put a rail back."""

from functools import partial

import msgspec

from meterai import trail
from meterai.accounts import NOBODY, Permission
from meterai.commands import Effect, Forecast, Lever, Pull
from meterai.kit.numbers import at_most
from meterai.kit.reasons import written_reason
from meterai.kit.refusal import NotFound
from meterai.payments import store
from meterai.payments.settings import PaymentSettings
from meterai.plumbing.db.database import ReadTx, Tx


class RailNamed(msgspec.Struct, frozen=True):
    """Argument of a lever (staff action): the name of a rail of this installation."""

    rail: str


def _known(asked: RailNamed, pull: Pull) -> str:
    if asked.rail not in pull.settings.of(PaymentSettings).payment_rails.split():
        raise NotFound(f"no rail {asked.rail!r}")
    return asked.rail


async def _would_set(tx: ReadTx, asked: RailNamed, pull: Pull, *, is_out: bool) -> Forecast:
    rail = _known(asked, pull)
    if not is_out:
        return Forecast([Effect("rail_goes_in", {"rail": rail})], rows=1)
    reason, waiting = written_reason(pull.reason), await store.opening_at(tx, rail)
    effects = [
        Effect("rail_goes_out", {"rail": rail, "reason": reason}),
        Effect("rail_attempts_move", {"attempts": at_most(waiting)}),
    ]
    return Forecast(effects, rows=1)


async def _set(tx: Tx, asked: RailNamed, pull: Pull, *, is_out: bool) -> None:
    rail = _known(asked, pull)
    reason = written_reason(pull.reason) if is_out else pull.reason
    await store.set_out(tx, rail, reason, is_out=is_out)
    actor, action = pull.actor, "rail_taken_out" if is_out else "rail_put_back"
    await trail.record(tx, NOBODY, actor=actor, action=action, subject=rail, reason=reason)


# These levers change one row and move no money, so that they need no approval by a second person.
OUT = Lever(
    name="rails out",
    permission=Permission.CONSOLE_OPERATIONS,
    arguments=RailNamed,
    forecast=partial(_would_set, is_out=True),
    carry_out=partial(_set, is_out=True),
)
IN = Lever(
    name="rails in",
    permission=Permission.CONSOLE_OPERATIONS,
    arguments=RailNamed,
    forecast=partial(_would_set, is_out=False),
    carry_out=partial(_set, is_out=False),
)
LEVERS = (OUT, IN)
