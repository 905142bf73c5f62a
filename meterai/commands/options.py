"""Common options, output and refusals of commands."""

import json
import os
import pwd
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

from cyclopts import Parameter

from meterai.commands.exits import Exit
from meterai.commands.needs import check_directory
from meterai.commands.production import UnmetDemand, check_allowed
from meterai.commands.program import Command, Program
from meterai.kit.actor import ID_LENGTH_MAX, Actor, ActorKind
from meterai.kit.refusal import Malformed
from meterai.kit.text import shown
from meterai.plumbing.config import Configuration, Settings, directory_of, load
from meterai.plumbing.files import read_file
from meterai.plumbing.messages import translate


class Between:
    """Validates that a number is from `least` to `most`, which excludes NaN.

    A value that is no number is accepted: its type was validated before, and an option may allow a word in place of a
    number.
    """

    def __init__(self, least: float, most: float) -> None:
        self.least = least
        self.most = most

    def __call__(self, _kind: object, value: object) -> None:
        """Raise `ValueError` with a sentence if the number is out of bounds."""
        if isinstance(value, int | float) and not self.least <= value <= self.most:
            raise ValueError(f"A number from {self.least} to {self.most} is expected.")


def text_only(_kind: object, value: object) -> None:
    """Validate that texts are printable UTF-8; other texts cannot be stored, compared or shown."""
    for one in [value] if isinstance(value, str) else cast("Sequence[str]", value or ()):
        if not one.isprintable():
            raise ValueError("Printable text in UTF-8 is expected.")


# Type of every text argument except file names, which may be any bytes.
Text = Annotated[str, Parameter(validator=text_only)]
OptionalText = Annotated[str | None, Parameter(validator=text_only)]
# Largest file that is read; a smaller limit for documents is checked later.
DOCUMENT_BYTES_MAX = 256 * 1024 * 1024
WORKERS_MAX = 256  # web processes of one machine; more would only wait for each other
PortNumber = Annotated[
    int | None,
    Parameter(help="Port of the web server; 0 for any free port.", validator=Between(0, 65_535)),
]
WorkerCount = Annotated[
    int | None, Parameter(help="Web processes.", validator=Between(1, WORKERS_MAX))
]


NO_PROGRAM = Program()


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """Options that every command has.  All other settings: METERAI_<NAME> or DIR/meterai.toml."""

    data: Annotated[Path | None, Parameter(help="Data directory (METERAI_DATA).")] = None
    config: Annotated[Path | None, Parameter(help="TOML file with settings.")] = None
    port: PortNumber = None
    workers: WorkerCount = None
    # Set by `apps/cli.py` after parsing.
    program: Annotated[Program, Parameter(parse=False)] = NO_PROGRAM

    @property
    def directory(self) -> Path:
        """The data directory, computed without reading settings files."""
        return directory_of(self.data and str(self.data))

    def configuration(self, command: str) -> Configuration:
        """Return the settings with their sources, for a command that only inspects. Refuses `InstallationMissing`."""
        one, found = self.command(command), self._loaded()
        check_directory(one.directory, found, one.elsewhere)
        return found

    def _loaded(self) -> Configuration:
        given = {"data": self.data and str(self.data), "port": self.port, "workers": self.workers}
        return load(self.program.sections, given, config=self.config)

    def command(self, name: str) -> Command:
        """Return the registered command of this name. Raises `KeyError`."""
        return self.program.commands[name]

    def settings(self, command: str) -> Settings:
        """Return the settings for this command, after checking its needs.

        Refuses `NotForProduction` and `OnlyForDevelopment` if the command must not run in production, and
        `InstallationMissing`.
        """
        one, found = self.command(command), self._loaded()
        check_allowed(one.name, one.scope, found, self.program.demands)
        check_directory(one.directory, found, one.elsewhere)
        return found.settings


NO_OPTIONS = Options()


def _check_operator(_kind: object, value: str | None) -> None:
    try:
        operator(value)
    except Malformed:
        raise ValueError(f"1 to {ID_LENGTH_MAX} printable characters are expected.") from None


By = Annotated[
    str | None,
    Parameter(
        name="--by",
        help=(
            "Address of the person who does this, for the audit trail (default: the user of the "
            "system)."
        ),
        validator=(text_only, _check_operator),
    ),
]
Reason = Annotated[
    str,
    Parameter(help="The reason, for the audit trail and for the approver.", validator=text_only),
]
DryRun = Annotated[
    bool,
    Parameter(
        name="--dry-run",
        negative="",
        help="Print the effect and whom it concerns, and do nothing.",
    ),
]
Password = Annotated[
    str,
    Parameter(help="Opens an encrypted document; it stays encrypted.", validator=text_only),
]
AsJson = Annotated[bool, Parameter(name="--json", negative="")]


def operator(by: str | None) -> Actor:
    """Return the actor at the command line: an operator with the given name, by default the name of the system's user.

    Refuses `Malformed`.
    """
    return Actor(ActorKind.OPERATOR, _user() if by is None else by)


def _user() -> str:
    # The name is looked up by the user's number, because environment variables can contain any name.
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container a user may have no name
        return f"uid {os.getuid()}"


def line(text: str) -> None:
    """Print one or more lines of output at once.

    Text that others wrote, such as a file name, may contain terminal control characters or invalid UTF-8, which are
    shown as escapes. A caller that inserts such text into a line makes it safe by `one_line` first.
    """
    print(shown(text), flush=True)


def tell_one(found: Mapping[str, object], *, as_json: bool) -> None:
    """Print the fields of one record, each on a line as `name=value`; with `as_json`, print a JSON object instead."""
    if as_json:
        line(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        line(f"{name}={value}")


def tell_all(found: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print records, each on a line with its fields as `name=value`; with `as_json`, print a JSON array instead."""
    if as_json:
        line(json.dumps(found, indent=2))
        return
    for one in found:
        line(", ".join(f"{name}={value}" for name, value in one.items()))


def tell_counted(found: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print records, each on a line with its non-empty values, and then their number; with `as_json`, a JSON array instead."""
    if as_json:
        line(json.dumps(found, indent=2))
        return
    for one in found:
        line("  ".join(str(value) for value in one.values() if value != ""))
    line(f"{len(found)} in all")


def sentence_of(complaint: UnmetDemand) -> str:
    """Return the English sentence about an unmet demand of production."""
    text = translate(f"production.{complaint.name}", "en", **complaint.facts)
    return f"{complaint.name}: {text}"


def complain(text: str) -> None:
    """Print one line about an error on standard error."""
    print(shown(f"meterai: {' '.join(text.splitlines())}"), file=sys.stderr)


def read_given(path: Path) -> bytes:
    """Return the content of a file given as an argument; end the command with an error if it cannot be read."""
    try:
        return read_file(path, DOCUMENT_BYTES_MAX)
    except OSError as error:
        complain(f"{path}: {error.strerror}")
        raise SystemExit(Exit.USAGE) from None
