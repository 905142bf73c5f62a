"""Figures of a period from the live database of an installation, counted by the queries of its rooms.

All figures are read in one read-only transaction, so that they describe one moment. This distribution imports no room: the
rooms register their figures (`Room.figures`).
"""

from textwrap import dedent

from meterai.commands import Options, with_database
from meterai.kit.clock import SystemClock
from meterai.kit.refusal import Malformed
from meterai.plumbing.config import Settings
from meterai.plumbing.db import figures
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.figures import FigureQuery, PromiseQuery, PromiseResult, moment
from meterai_rehearsal.assessment.model import LivePart, LivePromise, LiveRow, LiveTable


def live_part(options: Options, begin: str, end: str) -> LivePart:
    """Return the figures of a period. Refuses `Malformed`, and the refusals of every command with a database."""
    first, last = moment(begin, "FROM"), moment(end, "TO")
    if first >= last:
        raise Malformed("TO", "moment")

    async def look(database: Database, settings: Settings) -> LivePart:
        async with database.reading() as tx:
            tables = [
                LiveTable(
                    one.name,
                    tuple(
                        LiveRow(row.of, _kind(one, row.of), row.numbers)
                        for row in await figures.count(tx, one, first, last)
                    ),
                )
                for one in options.program.figures
            ]
            promises = [
                _promise(one, await figures.ask_promise(tx, one, first, last))
                for one in sorted(options.program.promises, key=lambda one: one.promise)
            ]
        process = settings.process
        is_specimen = not process.is_production
        now = SystemClock().now()
        parts = tuple(tables), tuple(promises)
        return LivePart(first, last, now, process.url, is_specimen, *parts)

    return with_database("assess", options, look)


def _promise(one: PromiseQuery, kept: PromiseResult) -> LivePromise:
    query = dedent(one.query).strip()
    return LivePromise(str(one.promise), one.name, kept.asked, kept.broken, query)


def _kind(table: FigureQuery, of: str) -> str:
    return f"{table.kinds}.{of}" if table.kinds and of else ""
