"""`meterai rehearse`: load an installation with a rush of visitors, and report which promises held."""

import asyncio
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from meterai.commands import NO_OPTIONS, Between, Exit, Options, Text, complain, line
from meterai.kit.clock import SystemClock
from meterai.kit.refusal import Refusal
from meterai.plumbing.messages import translate
from meterai_rehearsal import results
from meterai_rehearsal.results import Run

if TYPE_CHECKING:
    from meterai_rehearsal.rehearsal.start import Chosen

PROCESSES_MAX = 64
ProcessCount = Annotated[int, Parameter(validator=Between(1, PROCESSES_MAX))]
Flag = Annotated[bool, Parameter(negative="")]
Language = Literal["id", "en"]


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Target of a rehearsal that starts no installation of its own."""

    url: Annotated[Text, Parameter(help="Address of the installation.")] = ""
    bank: Annotated[Text, Parameter(help="Address of its stand-in bank, where visitors pay.")] = ""
    mail: Annotated[Text, Parameter(help="Address of its stand-in mail, where codes arrive.")] = ""
    metrics: Annotated[Text, Parameter(help="Address of its metrics.")] = ""
    targets: Annotated[
        Path | None, Parameter(help="List of other machines that may be loaded.")
    ] = None
    not_loopback: Annotated[Flag, Parameter(help="Allow another machine as target.")] = False


NOWHERE = Where()


def rehearse(
    plan: Text,
    options: Options = NO_OPTIONS,
    where: Where = NOWHERE,
    *,
    up: Flag = False,
    processes: ProcessCount = 2,
    out: Path | None = None,
    lang: Language = "en",
) -> None:
    """Drive an installation as a rush of visitors does, by a PLAN: a shipped one or a TOML file.

    Exit status: 0 every promise held, 1 one broke, 3 the run is void and says nothing.

    With `--up` an installation is started for the run on this machine, in a new `--data` directory, or without
    `--data` in a temporary one; faults are made only in such an installation. Without `--up`, either `--data`
    is the directory of an installation that runs on this machine, or `--url` is the address of an installation,
    with `--bank` and `--mail` for the journeys that pay. A target on another machine needs `--targets FILE`, a
    list of who allowed it and until when, and `--not-loopback`.
    """
    if options.data is not None and not up:
        options.configuration("rehearse")  # refuses a mistyped directory by its name
    from meterai_rehearsal.rehearsal import start  # noqa: PLC0415 - its libraries take long to load

    chosen = start.Chosen(
        plan=plan,
        data=options.data,
        is_own=up,
        addresses=(where.url, where.bank, where.mail, where.metrics),
        targets=where.targets,
        not_loopback=where.not_loopback,
        processes=processes,
        workers=options.workers,
        language=lang,
    )
    results.check_writable(out or Path("rehearsal.json"))
    try:
        run = _carried_out(chosen)
    except Refusal as refusal:
        if refusal.status != 422 and refusal.code != "plan_missing":
            raise
        complain(f"{refusal.code}: {translate(f'refusal.{refusal.code}', lang, **refusal.facts())}")
        raise SystemExit(Exit.USAGE) from None
    path = out or Path(f"rehearsal-{run.name}-{run.began_at:%Y%m%dT%H%M%SZ}.json")
    results.write(run, path)
    for told in start.summary(run, lang):
        line(told)
    line(translate("rehearsal.written", lang, path=path))
    raise SystemExit(status_of(run))


def _carried_out(chosen: "Chosen") -> Run:
    # Handled like Ctrl-C, so that our own installation is stopped and not left behind.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _in_its_directory(chosen)
    finally:
        signal.signal(signal.SIGTERM, before)


def _in_its_directory(chosen: "Chosen") -> Run:
    from meterai_rehearsal.rehearsal import start  # noqa: PLC0415 - its libraries take long to load

    with _directory(chosen) as directory:
        return asyncio.run(start.carry_out(chosen, directory, SystemClock(), line))


@contextmanager
def _directory(chosen: "Chosen") -> Iterator[Path | None]:
    """Yield the data directory; a temporary one for the run's own installation, if none was named."""
    if chosen.data is not None or not chosen.is_own:
        yield chosen.data
        return
    with tempfile.TemporaryDirectory(prefix="meterai-rehearsal-") as folder:
        yield Path(folder)


def status_of(run: Run) -> Exit:
    """Return the exit status of the command."""
    if run.broken:
        return Exit.NO
    return Exit.UNJUDGED if run.is_void else Exit.DONE
