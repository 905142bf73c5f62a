"""Needs of each command: the data directory and the database schema, and which of them it makes.

Only `up` makes an installation: a mistyped `--data` is refused, instead of showing an empty installation. Only
`migrate` and `up` migrate a schema: any other command is meant to inspect an installation, or to change one thing in
it, and not to change the tables under running processes.
"""

from enum import StrEnum
from pathlib import Path

from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.config import Configuration

# A directory with one of these is an installation: settings, keys, addresses of a running instance, the embedded
# database.
MARKS = ("meterai.toml", "keys", "instance.json", "postgres")
# File that exists until a restore has marked its database as a copy.
UNFINISHED = "restore-unfinished"


class Directory(StrEnum):
    """Need of a command for the data directory."""

    MADE = "made"  # the command makes an installation in it
    RESTORED = "restored"  # the command makes an installation from a backup
    NEEDED = "needed"
    DATABASE = "database"  # only the database, which may be configured elsewhere
    SETTINGS = "settings"  # only its settings, if there are any


class Schema(StrEnum):
    """Need of a command for the schema."""

    BROUGHT = "brought"  # the command migrates it
    CURRENT = "current"  # exactly the schema of this version
    # For incidents: stop, revoke, inspect. It touches few tables, and refuses if one does not exist.
    ANY = "any"
    NONE = "none"  # it opens no database


class InstallationMissing(CommandRefusal):
    """The data directory contains no installation, and the command makes none."""

    code = "installation_missing"
    status = 500

    def __init__(self, data: str) -> None:
        super().__init__(f"no installation in {data}")
        self.data = data


class RestoreUnfinished(CommandRefusal):
    """A restore into this directory was interrupted: no process may start, because the database does not know that it
    is a copy.
    """

    code = "restore_unfinished"
    status = 500

    def __init__(self, data: str) -> None:
        super().__init__(f"a restore into {data} broke off")
        self.data = data


def is_installation(directory: Path) -> bool:
    """True if the directory contains an installation."""
    return any((directory / mark).exists() for mark in MARKS)


def check_directory(need: Directory, configuration: Configuration, elsewhere: str = "") -> None:
    """Refuse `InstallationMissing` if a command needs an installation and finds none, and `RestoreUnfinished`.

    The setting `elsewhere` may name another place for its need. A directory that was named and does not exist is
    mistyped, whatever the command needs of it.
    """
    process = configuration.settings.process
    if need is Directory.RESTORED:
        return
    if (process.directory / UNFINISHED).exists():
        raise RestoreUnfinished(process.data)
    if need is Directory.MADE or is_installation(process.directory):
        return
    is_elsewhere = {
        Directory.DATABASE: bool(process.database_url) or process.database != "embedded",
        Directory.SETTINGS: True,
    }.get(need, bool(elsewhere and configuration.value(elsewhere)))
    is_mistyped = configuration.sources["data"] != "default" and not process.directory.is_dir()
    if is_mistyped or not is_elsewhere:
        raise InstallationMissing(process.data)
