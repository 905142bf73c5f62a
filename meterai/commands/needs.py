"""What each command needs of the data directory and of the database's schema, and what it makes.

Only `up` makes an installation: a mistyped `--data` is refused, instead of an empty installation
being looked at.  Only `migrate` and `up` bring a schema up to date: who runs another command means
to look at an installation, or to change one thing in it, and not to change the tables under what
is running.
"""

from enum import StrEnum
from pathlib import Path

from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.config import Configuration

# A directory with one of these is an installation: settings, keys, addresses of a running instance,
# the embedded database.
MARKS = ("meterai.toml", "keys", "instance.json", "postgres")
# A file that is there until a restore has said in its database that it is a copy.
UNFINISHED = "restore-unfinished"


class Directory(StrEnum):
    """What a command needs of the data directory."""

    MADE = "made"  # the command itself makes an installation of it
    RESTORED = "restored"  # the same, of a backup
    NEEDED = "needed"
    DATABASE = "database"  # the database alone, which may be configured elsewhere
    SETTINGS = "settings"  # its settings if there are any


class Schema(StrEnum):
    """What a command needs the schema to be."""

    BROUGHT = "brought"  # the command itself brings it up to date
    CURRENT = "current"  # exactly what this version was written for
    # In an incident: stop, revoke, look.  It touches few tables, and refuses where one is not there.
    ANY = "any"
    NONE = "none"  # it opens no database


class InstallationMissing(CommandRefusal):
    """The data directory holds no installation, and the command makes none."""

    code = "installation_missing"
    status = 500

    def __init__(self, data: str) -> None:
        super().__init__(f"no installation in {data}")
        self.data = data


class RestoreUnfinished(CommandRefusal):
    """A restore into this directory broke off: nothing of it may begin, for it does not know that it is a copy."""

    code = "restore_unfinished"
    status = 500

    def __init__(self, data: str) -> None:
        super().__init__(f"a restore into {data} broke off")
        self.data = data


def is_installation(directory: Path) -> bool:
    """True where somebody, or `meterai up`, made an installation of this directory."""
    return any((directory / mark).exists() for mark in MARKS)


def check_directory(need: Directory, configuration: Configuration, elsewhere: str = "") -> None:
    """Refuses `InstallationMissing` where a command needs an installation and finds none, and `RestoreUnfinished`.

    What it needs may be where the setting `elsewhere` says.  A directory that was named and does not exist is mistyped, whatever the command needs of it.
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
