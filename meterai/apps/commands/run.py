"""Commands that run processes, and those that prepare them."""

import asyncio

import rich
from rich.table import Table

from meterai.apps.instance import database_of
from meterai.apps.options import (
    EXIT_CONFIGURATION,
    NO_OPTIONS,
    Options,
    line,
    sentence_of,
)
from meterai.apps.production import complaints
from meterai.plumbing.migrations import migrate as apply_migrations
from meterai.plumbing.parent import die_with_parent
from meterai.plumbing.shared_metrics import share


def up(options: Options = NO_OPTIONS) -> None:
    """Run everything on this machine: database, web, worker, stand-ins for bank and mail."""
    from meterai.apps.up import up as run_everything  # noqa: PLC0415 - only this needs them all
    from meterai.plumbing import telemetry  # noqa: PLC0415

    settings = options.settings("up")
    telemetry.configure(level=settings.log_level, as_json=False, who="up")
    run_everything(settings, line)


def web(options: Options = NO_OPTIONS) -> None:
    """Run only the web processes, against a database that is there."""
    from meterai.apps.serve import serve  # noqa: PLC0415 - loads the server only where needed

    with database_of(options.settings("web")) as settings:
        serve(settings)


def worker(options: Options = NO_OPTIONS) -> None:
    """Run only the worker."""
    die_with_parent()
    with database_of(options.settings("worker")) as settings:
        share(settings)
        from meterai.apps.worker import run  # noqa: PLC0415 - after the metrics are shared

        asyncio.run(run(settings))


def standins(options: Options = NO_OPTIONS) -> None:
    """Run only the stand-ins for bank and mail."""
    from meterai.apps.standing_in import run  # noqa: PLC0415 - not there in production

    die_with_parent()
    asyncio.run(run(options.settings("standins")))


def migrate(options: Options = NO_OPTIONS) -> None:
    """Bring the database up to date."""
    with database_of(options.settings("migrate")) as settings:
        for name in apply_migrations(settings.database_url):
            line(f"applied {name}")
        line("up to date")


def config(options: Options = NO_OPTIONS) -> None:
    """Show every setting that is in force and where it came from."""
    table = Table("setting", "value", "from", box=None, pad_edge=False)
    for name, value, source in options.configuration().shown():
        table.add_row(name, value, source)
    rich.print(table)


def check_config(options: Options = NO_OPTIONS) -> None:
    """Say everything that production demands and does not find.

    Exit status: 0 where nothing is wrong, or where this is not production; 78 otherwise.
    """
    configuration = options.configuration()
    found = list(complaints(configuration))
    if configuration.settings.is_specimen:
        line("this is development, of which nothing is demanded")
        line("as production it would lack:" if found else "as production it would lack nothing")
    elif not found:
        line("nothing is wrong")
    for one in found:
        line(sentence_of(one))
    raise SystemExit(EXIT_CONFIGURATION if found and not configuration.settings.is_specimen else 0)
