"""What each command needs of the data directory and of the database's schema, and what it makes.

Only `up` makes an installation: a mistyped `--data` is refused, instead of an empty installation
being looked at.  Only `migrate` and `up` bring a schema up to date: who runs another command means
to look at an installation, or to change one thing in it, and not to change the tables under what
is running.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from meterai.kit.refusal import Refusal
from meterai.plumbing.config import Configuration

# Any of these: an operator's settings, the keys, a running instance's addresses, its database.
MARKS = ("meterai.toml", "keys", "instance.json", "postgres")


class Directory(StrEnum):
    """What a command needs of the data directory."""

    MADE = "made"  # the command itself makes an installation of it
    NEEDED = "needed"
    DATABASE = "database"  # the database alone, which may be configured elsewhere
    ISSUER = "issuer"  # the issuers alone, which may be configured elsewhere
    SETTINGS = "settings"  # its settings if there are any


class Schema(StrEnum):
    """What a command needs the schema to be."""

    BROUGHT = "brought"  # the command itself brings it up to date
    CURRENT = "current"  # exactly what this version was written for
    # In an incident: stop, revoke, look.  It touches few tables, and refuses where one is not there.
    ANY = "any"
    NONE = "none"  # it opens no database


class Need(NamedTuple):
    """What one command needs."""

    directory: Directory
    schema: Schema = Schema.NONE


# Every command there is; a test compares.
NEEDS: Mapping[str, Need] = {
    "up": Need(Directory.MADE, Schema.BROUGHT),
    "migrate": Need(Directory.DATABASE, Schema.BROUGHT),
    "web": Need(Directory.NEEDED, Schema.CURRENT),
    "worker": Need(Directory.NEEDED, Schema.CURRENT),
    "standins": Need(Directory.NEEDED),
    "audit": Need(Directory.DATABASE, Schema.CURRENT),
    "accounts create": Need(Directory.NEEDED, Schema.CURRENT),
    "accounts keys": Need(Directory.NEEDED, Schema.ANY),
    "accounts end-key": Need(Directory.NEEDED, Schema.ANY),
    "suspense list": Need(Directory.DATABASE, Schema.ANY),
    "suspense resolve": Need(Directory.DATABASE, Schema.CURRENT),
    "issuing stop": Need(Directory.DATABASE, Schema.ANY),
    "issuing open": Need(Directory.DATABASE, Schema.CURRENT),
    "jobs list": Need(Directory.DATABASE, Schema.ANY),
    "jobs retry": Need(Directory.DATABASE, Schema.CURRENT),
    "objects adopt": Need(Directory.NEEDED, Schema.CURRENT),
    "config": Need(Directory.SETTINGS),
    "check-config": Need(Directory.SETTINGS),
    "seal": Need(Directory.ISSUER),
    "verify": Need(Directory.ISSUER),
    "verify-claim": Need(Directory.ISSUER),
    "issuer show": Need(Directory.ISSUER),
    "issuer appoint": Need(Directory.ISSUER),
}


class InstallationMissing(Refusal):
    """The data directory holds no installation, and the command makes none."""

    code = "installation_missing"
    status = 500

    def __init__(self, data: str) -> None:
        super().__init__(f"no installation in {data}")
        self.data = data


def is_installation(directory: Path) -> bool:
    """True where somebody, or `meterai up`, made an installation of this directory."""
    return any((directory / mark).exists() for mark in MARKS)


def check_directory(command: str, configuration: Configuration) -> None:
    """Refuses `InstallationMissing` where the command needs an installation and finds none.

    A directory that was named and does not exist is mistyped, whatever the command needs of it.
    """
    need, process = NEEDS[command].directory, configuration.settings.process
    if need is Directory.MADE or is_installation(process.directory):
        return
    is_elsewhere = {
        Directory.DATABASE: bool(process.database_url) or process.database != "embedded",
        Directory.ISSUER: bool(configuration.value("issuer")),
        Directory.SETTINGS: True,
    }.get(need, False)
    is_mistyped = configuration.sources["data"] != "default" and not process.directory.is_dir()
    if is_mistyped or not is_elsewhere:
        raise InstallationMissing(process.data)
