"""Commands that run processes, and commands that prepare or check an installation for them."""

from collections.abc import Iterator
from contextlib import contextmanager

import rich
from rich.table import Table
from rich.text import Text

from meterai.commands import (
    NO_OPTIONS,
    Exit,
    Options,
    Schema,
    complaints,
    database_of,
    line,
    schema_for,
    sentence_of,
)
from meterai.installation import PortTaken, holding, is_free
from meterai.plumbing.config import Settings, export
from meterai.plumbing.db.migrations import migrate as apply_migrations
from meterai.plumbing.observe.shared_metrics import join, sharing
from meterai.plumbing.parent import die_with_parent


@contextmanager
def _served(given: Settings, options: Options) -> Iterator[Settings]:
    """Yield the settings of a web process or worker, after checking that keys and issuers can be read.

    The process starts even if the configured database does not answer: until it does, the web process answers 503 and
    the worker waits.
    """
    from meterai.apps.needs import check_needs  # noqa: PLC0415 - only services need it

    with (
        database_of(given, may_be_away=True) as settings,
        schema_for(Schema.CURRENT, settings, options.program.homes),
    ):
        check_needs(settings)
        yield settings


def web(options: Options = NO_OPTIONS) -> None:
    """Run only the web processes. While the database does not answer, they answer 503.

    The exit status is 78 if something is missing that waiting does not provide, such as a key.
    """
    from meterai.apps.serve import serve  # noqa: PLC0415 - loads the server only where needed

    with sharing(options.directory):
        given = options.settings("web")
    with _served(given, options) as settings:
        if settings.process.port and not is_free(settings.process.host, settings.process.port):
            raise PortTaken(settings.process.port)
        with holding(settings.process.port, "web"):
            serve(settings)


def worker(options: Options = NO_OPTIONS) -> None:
    """Run only the worker. While the database does not answer, it waits.

    The exit status is 78 if something is missing that waiting does not provide, such as a key.
    """
    die_with_parent()
    import uvloop  # noqa: PLC0415 - it takes a tenth of a second, which no other command needs

    from meterai.apps.worker import run  # noqa: PLC0415 - loads the rooms only where needed

    with sharing(options.directory):
        given = options.settings("worker")
    join()
    with _served(given, options) as settings:
        export(settings)
        uvloop.run(run(settings))


def migrate(options: Options = NO_OPTIONS) -> None:
    """Apply all missing migrations to the database."""
    with database_of(options.settings("migrate"), may_make=True) as settings:
        for name in apply_migrations(settings.process.database_url, options.program.homes):
            line(f"applied {name}")
        line("up to date")


def _plain(text: str) -> Text:
    """Return text that is not interpreted as markup; invalid UTF-8, which a path may contain, is escaped."""
    return Text(text.encode("utf-8", "backslashreplace").decode())


def config(options: Options = NO_OPTIONS) -> None:
    """Show the value of every setting, and its source."""
    table = Table("setting", "value", "from", box=None, pad_edge=False)
    for name, value, source in options.configuration("config").shown():
        table.add_row(*map(_plain, (name, value, source)))
    rich.print(table)


def check_config(options: Options = NO_OPTIONS) -> None:
    """Print every demand of production that is not met, also outside production. The exit status is 78 if demands are
    not met in production, else 0.
    """
    configuration = options.configuration("check-config")
    found = list(complaints(configuration, options.program.demands))
    if not configuration.settings.process.is_production:
        line("this is not production, which has no demands")
        line(
            "as production it would not meet:"
            if found
            else "as production it would meet all demands"
        )
    elif not found:
        line("nothing is wrong")
    for one in found:
        line(sentence_of(one))
    is_wrong = found and configuration.settings.process.is_production
    raise SystemExit(Exit.CONFIGURATION if is_wrong else Exit.DONE)
