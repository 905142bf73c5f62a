"""Needs of each command: the data directory and the database schema, and whether the command makes them.

Only `up` makes an installation: a mistyped `--data` is refused, instead of showing an empty installation. Only
`migrate` and `up` migrate a schema: any other command does one small thing, and must not change the tables under
running processes.
"""

from enum import StrEnum
from pathlib import Path

from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.config import Configuration

# A directory that contains one of these is an installation: settings, keys, addresses of a running
# instance, the embedded database.
MARKS = ("meterai.toml", "keys", "instance.json", "postgres")
# File that exists until a restore has marked its database as a copy.
UNFINISHED = "restore-unfinished"


class Directory(StrEnum):
    """State of the data directory that a command needs or makes."""

    MADE = "made"  # the command makes an installation in it
    RESTORED = "restored"  # the command makes an installation from a backup
    NEEDED = "needed"
    DATABASE = "database"  # only the database, which may be configured to be elsewhere
    SETTINGS = "settings"  # only the settings in it, if there are any


class Schema(StrEnum):
    """State of the database schema that a command needs or makes."""

    BROUGHT = "brought"  # the command migrates the schema
    CURRENT = "current"  # exactly the schema of this version
    # For commands that staff need in an incident (stop, revoke, inspect): they use few tables, and
    # refuse if one does not exist.
    ANY = "any"
    NONE = "none"  # the command opens no database


class InstallationMissing(CommandRefusal):
    """The data directory contains no installation, and the command does not make one."""

    code = "installation_missing"
    status = 500

    def __init__(self, data: str) -> None:
        super().__init__(f"no installation in {data}")
        self.data = data


class RestoreUnfinished(CommandRefusal):
    """A restore into this directory was interrupted: no process may start, because the database is not yet marked as
    a copy.
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
    """Check that the data directory is what a command needs. Refuses `InstallationMissing`, `RestoreUnfinished`.

    `elsewhere` is the name of a setting; if that setting has a value, the command takes its data from the place
    that the setting states, and needs no installation. A data directory that was given and does not exist
    counts as mistyped, and is refused even then.
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
