"""Use of levers (staff actions with a forecast) at the command line."""

import msgspec
import psycopg

from meterai.approvals.pulling import (
    Pulled,
    Puller,
    at_command_line,
    check_always,
    forecast_for,
    pull_in,
)
from meterai.approvals.telling import sentences
from meterai.commands import Exit, Forecast, Lever, Options, line, operator, with_database
from meterai.kit.clock import SystemClock
from meterai.kit.text import one_line
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database


def pull(
    options: Options,
    lever: Lever,
    arguments: msgspec.Struct,
    *,
    by: str | None = None,
    reason: str = "",
    dry_run: bool = False,
) -> Forecast:
    """Pull a lever (use a staff action) at the command line; return the forecast of what was done.

    A dry run prints the forecast and ends the command. If a second person is needed, the id of the request for approval is
    printed, and the command ends with `Exit.WAITS`. Refuses what `pulling.pull_in` refuses, and `StaffUnknown`.
    """
    at = SystemClock().now()

    async def run(database: Database, settings: Settings) -> Pulled:
        check_always(settings, options.program.levers)
        who = await _who(database, by)
        wish = who.pull(at, reason, settings)
        if dry_run:
            async with database.reading() as tx:
                return Pulled(await forecast_for(tx, lever, arguments, who, wish), None)
        return await database.run(lambda tx: pull_in(tx, lever, arguments, who, wish))

    pulled = with_database(lever.name, options, run)
    if dry_run:
        tell(pulled.forecast)
        raise SystemExit(Exit.DONE)
    if not pulled.is_done:
        tell(pulled.forecast)
        line(f"{pulled.shown} waits for the approval of another person")
        raise SystemExit(Exit.WAITS)
    return pulled.forecast


async def _who(database: Database, by: str | None) -> Puller:
    """Return the person who pulls a lever at the command line; it is read in a separate transaction before anything is locked.

    If the schema is so old that it lacks the tables of staff, the person counts as an operator, so that commands for incidents
    work with every version of the schema.
    """
    try:
        async with database.reading() as tx:
            return await at_command_line(tx, by)
    except psycopg.errors.UndefinedTable:
        return Puller.of_operator(operator(by))


def tell(forecast: Forecast) -> None:
    """Print the effects of a forecast, each on a line, and its totals."""
    for sentence in sentences(forecast, "en"):
        line(one_line(sentence))
    line(f"rows: {forecast.rows}, rupiah: {forecast.rupiah}")
