"""Levers (staff actions with a forecast) that stop and resume the issuing of stamps."""

from functools import partial

from meterai import stamps
from meterai.accounts import Permission
from meterai.commands import Effect, Forecast, Lever, NoArguments, Pull
from meterai.kit.numbers import at_most
from meterai.kit.reasons import written_reason
from meterai.orders import store
from meterai.plumbing.db.database import ReadTx, Tx


async def _would_stop(tx: ReadTx, _: NoArguments, pull: Pull) -> Forecast:
    reason, found = written_reason(pull.reason), await store.waiting(tx)
    return Forecast(
        [
            Effect("issuing_stops", {"reason": reason}),
            Effect("issuing_orders_wait", {"orders": at_most(found.orders)}),
        ],
        rows=1,
    )


async def _would_open(tx: ReadTx, _: NoArguments, _pull: Pull) -> Forecast:
    found = await store.waiting(tx)
    orders, rupiah = at_most(found.orders), at_most(found.rupiah)
    return Forecast(
        [
            Effect("issuing_opens"),
            Effect("issuing_orders_execute", {"orders": orders, "rupiah": rupiah}),
        ],
        rows=max(1, orders),
        rupiah=rupiah,
    )


async def _set(tx: Tx, _: NoArguments, pull: Pull, *, is_open: bool) -> None:
    await stamps.set_issuing(tx, is_open=is_open, reason=pull.reason, actor=pull.actor)


# Stopping changes one row and moves no money, so it needs no second person.
STOP = Lever(
    name="issuing stop",
    permission=Permission.CONSOLE_OPERATIONS,
    arguments=NoArguments,
    forecast=_would_stop,
    carry_out=partial(_set, is_open=False),
)
OPEN = Lever(
    name="issuing open",
    permission=Permission.CONSOLE_OPERATIONS,
    arguments=NoArguments,
    forecast=_would_open,
    carry_out=partial(_set, is_open=True),
)
LEVERS = (STOP, OPEN)
