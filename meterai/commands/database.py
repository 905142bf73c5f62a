"""Database of an installation, for the time of a command.

If the installation has the embedded server, a command starts the server if it is not running; the last process that
uses the server stops it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import psycopg
import structlog

from meterai.commands.needs import Schema
from meterai.commands.options import Options
from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.config import Settings
from meterai.plumbing.db.connections import conninfo
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.embedded import EmbeddedPostgres, PostgresNotStarted, PostgresSilent
from meterai.plumbing.db.migrations import check_current
from meterai.plumbing.db.sql_files import Homes

SYSTEM_URL = "postgresql:///postgres?"  # PostgreSQL server of this machine, by its default socket
DATABASE = "meterai"
Answer = TypeVar("Answer")
_PASSING = ("starting up", "shutting down", "recovery", "too many", "connection slots")
_NOT_THERE = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
)
_log = structlog.get_logger()


class DatabaseMissing(CommandRefusal):
    """No database exists at the configured place."""

    code = "database_missing"
    status = 500

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DatabaseUnreachable(CommandRefusal):
    """The database does not answer; it may be starting, or be down."""

    code = "database_unreachable"
    status = 503
    retry_after_seconds = 5  # about the duration of a restart of PostgreSQL

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def our_database(server_url: str, *, may_make: bool) -> str:
    """Return the URL of our database on a server; with `may_make` a missing database is created. Refuses
    `DatabaseMissing` if it does not exist.
    """
    with psycopg.connect(server_url, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if found.fetchone() is None:
            if not may_make:
                raise DatabaseMissing(f"the server has no database {DATABASE}")
            connection.execute(f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0")
    return server_url.replace("/postgres?", f"/{DATABASE}?")


def _is_refused(error: psycopg.OperationalError) -> bool:
    """True if the error is the answer of a server that has no such database or refuses the user.

    A server that is starting or stopping, or has too many connections, also answers with FATAL; but that
    condition is temporary, and does not count as a refusal.
    """
    text = str(error)
    return "FATAL" in text and not any(passing in text for passing in _PASSING)


def is_embedded(settings: Settings) -> bool:
    """True if the database is the embedded server of the data directory."""
    return not settings.process.database_url and settings.process.database == "embedded"


@contextmanager
def database_of(
    settings: Settings,
    embedded: EmbeddedPostgres | None = None,
    *,
    may_make: bool = False,
    may_be_away: bool = False,
) -> Iterator[Settings]:
    """Check that the database answers, and yield the settings with its URL.

    The embedded server is started if necessary, and is released at the end of the block of the context manager.
    With `may_make` a missing database is created. Refuses `DatabaseMissing`, `DatabaseUnreachable`. With
    `may_be_away` a configured server that does not answer is only logged.
    """
    server = embedded or EmbeddedPostgres(settings.process.directory)
    url = settings.process.database_url
    try:
        if is_embedded(settings):
            if not (may_make or server.is_made()):
                raise DatabaseMissing(f"{settings.process.data} has none")
            url = our_database(server.start(), may_make=may_make)
        elif not url:
            url = our_database(SYSTEM_URL, may_make=may_make)
        else:
            psycopg.connect(conninfo(url)).close()
    except PostgresSilent as silent:
        raise DatabaseUnreachable(str(silent)) from None
    except (psycopg.ProgrammingError, PostgresNotStarted) as error:
        raise DatabaseMissing(str(error).strip()) from None
    except psycopg.OperationalError as error:
        if not (may_be_away and settings.process.database_url):
            kind = DatabaseMissing if _is_refused(error) else DatabaseUnreachable
            raise kind(str(error).strip()) from None
        _log.warning("database_away", reason=str(error).strip())
    try:
        yield settings.replaced(database_url=url)
    finally:
        if is_embedded(settings):
            server.stop()


@contextmanager
def schema_for(need: Schema, settings: Settings, homes: Homes = ()) -> Iterator[None]:
    """Check that the database has the schema that a command needs: before the block of the context manager runs, and again if a
    table or column is missing in the block.

    Refuses `DatabaseNotMigrated`, `DatabaseNewer`. A database that does not answer is not checked here but by
    `/readyz`.
    """
    url = settings.process.database_url
    if need is Schema.CURRENT:
        with suppress(psycopg.OperationalError):
            check_current(url, homes)
    try:
        yield
    except _NOT_THERE:
        # The command accepts any schema, and a table or column was missing: report the version of the schema instead.
        check_current(url, homes)
        raise


def with_database(
    command: str, options: Options, act: Callable[[Database, Settings], Awaitable[Answer]]
) -> Answer:
    """Call `act` with the database of the installation, for this command, and return its result. No process of the
    installation needs to be running.
    """

    async def run(settings: Settings) -> Answer:
        database = Database(settings.process.database_url, connections=2)
        await database.open()
        try:
            return await act(database, settings)
        finally:
            await database.close()

    with (
        database_of(options.settings(command)) as found,
        schema_for(options.command(command).schema, found, options.program.homes),
    ):
        return asyncio.run(run(found))
