"""The command line."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NoReturn, TypeVar

import cyclopts
import rich
from cyclopts import App, Parameter
from rich.table import Table

from meterai import __version__, sealing, stamps
from meterai.apps.audit import Audit, audit
from meterai.apps.house import House, issuer_of, open_house
from meterai.apps.instance import DatabaseMissing, database_of
from meterai.kit.clock import SystemClock
from meterai.kit.ids import show
from meterai.kit.refusal import Refusal
from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.plumbing import telemetry
from meterai.plumbing.config import Configuration, Settings, load
from meterai.plumbing.database import Database
from meterai.plumbing.messages import say
from meterai.plumbing.migrations import migrate as apply_migrations
from meterai.plumbing.parent import die_with_parent
from meterai.sealing import Placement, Stamp, Verdict

EXIT_REFUSED = 1
EXIT_NOT_GENUINE = 1
EXIT_NOT_CHECKED = 2

app = App(name="meterai", version=__version__, help="Sell, issue, affix, check, refund e-stamps.")
accounts_app = App(name="accounts", help="Accounts and API keys.")
issuing_app = App(name="issuing", help="Whether stamps are being issued.")
app.command(accounts_app)
app.command(issuing_app)

Answer = TypeVar("Answer")


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """Options every command takes.  Any other setting: METERAI_<NAME> or DIR/meterai.toml."""

    data: Annotated[Path | None, Parameter(help="Data directory (METERAI_DATA).")] = None
    config: Annotated[Path | None, Parameter(help="TOML file with settings.")] = None
    port: Annotated[int | None, Parameter(help="Port of the web; 0 for any free one.")] = None
    workers: Annotated[int | None, Parameter(help="Web processes.")] = None

    def configuration(self) -> Configuration:
        """The settings in force."""
        given = {"data": self.data and str(self.data), "port": self.port, "workers": self.workers}
        return load(given, config=self.config)

    def settings(self) -> Settings:
        """The settings in force, without their sources."""
        return self.configuration().settings


NO_OPTIONS = Options()


def _line(text: str) -> None:
    print(text, flush=True)


def _fail(refusal: Refusal, status: int = EXIT_REFUSED) -> NoReturn:
    sentence = say(f"refusal.{refusal.code}", "en", **refusal.facts())
    print(f"meterai: {refusal.code}: {sentence}", file=sys.stderr)
    raise SystemExit(status)


@app.command
def up(options: Options = NO_OPTIONS) -> None:
    """Run everything on this machine: database, web, worker, stand-ins for bank and mail."""
    from meterai.apps.up import up as run_everything  # noqa: PLC0415 - only this needs stand-ins

    settings = options.settings()
    telemetry.configure(level=settings.log_level, as_json=False, who="up")
    run_everything(settings, _line)


@app.command
def web(options: Options = NO_OPTIONS) -> None:
    """Run only the web processes, against a database that is there."""
    from meterai.apps.serve import serve  # noqa: PLC0415 - loads the server only where needed

    with database_of(options.settings()) as settings:
        serve(settings)


@app.command
def worker(options: Options = NO_OPTIONS) -> None:
    """Run only the worker."""
    from meterai.apps.worker import run  # noqa: PLC0415

    die_with_parent()
    with database_of(options.settings()) as settings:
        asyncio.run(run(settings))


@app.command
def standins(options: Options = NO_OPTIONS) -> None:
    """Run only the stand-ins for bank and mail."""
    from meterai.apps.standing_in import run  # noqa: PLC0415

    die_with_parent()
    asyncio.run(run(options.settings(), _line))


@app.command
def migrate(options: Options = NO_OPTIONS) -> None:
    """Bring the database up to date."""
    with database_of(options.settings()) as settings:
        for name in apply_migrations(settings.database_url):
            _line(f"applied {name}")
        _line("up to date")


@app.command
def config(options: Options = NO_OPTIONS) -> None:
    """Show every setting that is in force and where it came from."""
    table = Table("setting", "value", "from", box=None, pad_edge=False)
    for name, value, source in options.configuration().shown():
        table.add_row(name, value, source)
    rich.print(table)


def _with_database(options: Options, act: Callable[[Database], Awaitable[Answer]]) -> Answer:
    async def run(settings: Settings) -> Answer:
        database = Database(settings.database_url, connections=2)
        await database.open()
        try:
            return await act(database)
        finally:
            await database.close()

    with database_of(options.settings()) as settings:
        apply_migrations(settings.database_url)
        return asyncio.run(run(settings))


@app.command(name="audit")
def run_audit(
    options: Options = NO_OPTIONS,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Check every invariant of money and stamps.  Exit status 0 only if all hold."""
    found: Audit = _with_database(options, audit)
    if as_json:
        _line(json.dumps(found.as_json(), indent=2))
    else:
        for finding in found.findings:
            mark = "holds " if finding.holds else f"BROKEN ({finding.broken})"
            _line(f"{mark} {finding.invariant.name}")
            for row in finding.evidence:
                _line("        " + ", ".join(f"{name}={value}" for name, value in row.items()))
        _line("every invariant holds" if found.holds else "NOT every invariant holds")
    raise SystemExit(0 if found.holds else 1)


def _with_house(options: Options, act: Callable[[House], Awaitable[Answer]]) -> Answer:
    async def run(settings: Settings) -> Answer:
        async with open_house(settings) as house:
            return await act(house)

    with database_of(options.settings()) as settings:
        apply_migrations(settings.database_url)
        return asyncio.run(run(settings))


@accounts_app.command
def create(
    email: str,
    options: Options = NO_OPTIONS,
    *,
    api_key: Annotated[bool, Parameter(name="--api-key", negative="")] = False,
    language: Literal["id", "en"] = "id",
) -> None:
    """Make an account (or find it), and with --api-key a key, printed once, on the last line."""

    async def make(house: House) -> None:
        account = await house.accounts.create(email, language)
        _line(f"account {show('acc', account)}")
        if api_key:
            _line(await house.accounts.create_api_key(account, "command line"))

    _with_house(options, make)


@issuing_app.command(name="stop")
def stop_issuing(reason: str, options: Options = NO_OPTIONS) -> None:
    """Stop issuing: paid orders wait, and their money goes back when it is due."""
    _set_issuing(options, is_open=False, reason=reason)


@issuing_app.command(name="open")
def open_issuing(options: Options = NO_OPTIONS) -> None:
    """Issue again: paid orders that still wait are executed."""
    _set_issuing(options, is_open=True, reason="")


def _set_issuing(options: Options, *, is_open: bool, reason: str) -> None:
    async def change(database: Database) -> None:
        async with database.transaction() as tx:
            await stamps.set_issuing(tx, is_open=is_open, reason=reason)

    _with_database(options, change)
    _line("issuing is open" if is_open else f"issuing is stopped: {reason}")


@app.command
def seal(
    source: Path,
    target: Path,
    options: Options = NO_OPTIONS,
    *,
    page: int = -1,
    x: float = 36.0,
    y: float = 36.0,
    width: float = 80.0,
) -> None:
    """Put one stamp on a PDF with the development issuer; needs no database.

    The stamp is a SPECIMEN: nobody sold it and no register knows its serial.
    """
    settings = options.settings()
    clock = SystemClock()
    stamp = Stamp(SerialMaker(UNLEASED).make(), Placement(page, x, y, width))
    original = source.read_bytes()
    delta = sealing.seal(
        original,
        [stamp],
        issuer_of(settings, clock),
        at=clock.now(),
        check_url=f"{settings.url}/c/",
        specimen=True,
    )
    target.write_bytes(original + delta.data)
    _line(f"serial {stamp.serial}")


@app.command
def verify(
    document: Path,
    options: Options = NO_OPTIONS,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Check the seal of a PDF against this instance's issuer, without the register.

    Exit status: 0 genuine, 1 not genuine, 2 could not be checked.
    """
    settings = options.settings()
    clock = SystemClock()
    try:
        root = issuer_of(settings, clock).root
        report = sealing.verify(document.read_bytes(), [root], at=clock.now())
    except OSError as error:
        print(f"meterai: {document}: {error.strerror}", file=sys.stderr)
        raise SystemExit(EXIT_NOT_CHECKED) from None
    checks = [
        {
            "name": one.name,
            "passed": one.passed,
            "detail": say(
                f"check.{one.name}.{'passed' if one.passed else 'failed'}", "en", **one.facts
            ),
        }
        for one in report.checks
    ]
    found = {"verdict": str(report.verdict), "serials": list(report.serials), "checks": checks}
    if as_json:
        _line(json.dumps(found, indent=2))
    else:
        _line(str(report.verdict))
        for check in checks:
            _line(f"  {'ok ' if check['passed'] else 'NO '} {check['name']}: {check['detail']}")
    if report.verdict == Verdict.UNREADABLE:
        raise SystemExit(EXIT_NOT_CHECKED)
    raise SystemExit(0 if report.verdict == Verdict.GENUINE else EXIT_NOT_GENUINE)


def main() -> None:
    """Run the command; a refusal is one line and a status, not a traceback."""
    try:
        app()
    except DatabaseMissing as refusal:
        print(f"meterai: no database: {refusal.reason}", file=sys.stderr)
        raise SystemExit(EXIT_NOT_CHECKED) from None
    except Refusal as refusal:
        _fail(refusal)
    except cyclopts.CycloptsError:
        raise SystemExit(EXIT_NOT_CHECKED) from None
    except BrokenPipeError:
        os._exit(EXIT_NOT_CHECKED)
