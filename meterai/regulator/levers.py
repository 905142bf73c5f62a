"""Lever (staff action with a forecast) of statements: close a month. A second person always approves it."""

import msgspec

from meterai.accounts import Permission
from meterai.commands import Effect, Forecast, Lever, Pull
from meterai.kit.days import Month
from meterai.kit.reasons import written_reason
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.regulator import service


class StatementsClose(msgspec.Struct, frozen=True):
    """The month to close, as 2026-11."""

    month: str


async def _would_close(tx: ReadTx, asked: StatementsClose, pull: Pull) -> Forecast:
    written_reason(pull.reason)
    found = await service.check_closes(tx, Month.read(asked.month), pull.at)
    effects = [Effect("statement_closed", {"month": asked.month})]
    effects += [
        Effect(f"statement_{one.name}", {"stamps": one.stamps, "rupiah": one.rupiah})
        for one in found.figures
    ]
    # Closing a month moves no money.
    return Forecast(effects, len(found.sums.rows()))


async def _close(tx: Tx, asked: StatementsClose, pull: Pull) -> None:
    await service.close(tx, Month.read(asked.month), pull.actor)


CLOSE = Lever(
    name="statements close",
    permission=Permission.CONSOLE_MONEY,
    arguments=StatementsClose,
    forecast=_would_close,
    carry_out=_close,
    is_always_approved=True,
)
LEVERS = (CLOSE,)
