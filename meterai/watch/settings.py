"""Configuration file of a watcher (TOML): the measured installation, the means to measure it (API key, payer, mailbox), a
folder.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from meterai.kit.components import Component
from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.files import read_key_file, read_settings_file
from meterai.plumbing.toml import read_toml

ADDRESSES_MAX = 1_000
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[\w.-]+$")]
_Url = Annotated[str, msgspec.Meta(pattern=r"^https?://[^/\s]+(/\S*)?$", max_length=300)]
_Seconds = Annotated[float, msgspec.Meta(ge=1, le=86_400)]


class ConfigurationOfWatchWrong(CommandRefusal):
    """The configuration file of a watcher cannot be used."""

    code = "watch_configuration_wrong"
    status = 500

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = str(path)
        self.why = why


class Payer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Payer of a QR: our stand-in bank, or a URL that receives the text of the QR by POST with a bearer token."""

    kind: Literal["standin", "post"]
    url: _Url
    token_file: str = ""


class Mailbox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mailbox in which the watcher reads its sign-in codes: that of the stand-in mail server, or one read by IMAP over TLS.

    `{n}` in `address` is replaced by a number from 0 to `addresses` - 1; each address gets at most six codes an hour.
    """

    kind: Literal["standin", "imap"]
    address: Annotated[str, msgspec.Meta(pattern=r"^[^@\s]+@[^@\s]+$")]
    addresses: Annotated[int, msgspec.Meta(ge=1, le=ADDRESSES_MAX)] = 1
    url: str = ""
    host: str = ""
    user: str = ""
    password_file: str = ""
    folder: str = "INBOX"


class WatcherConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Configuration of one watcher.

    `folder` holds its state, its key and `public`, the static files.  Paths are relative to the configuration file.  `seconds`
    is the time between two tries of each component; a time longer than the default in `rule` delays the detection of a fault.
    """

    name: _Name
    installation: _Url
    folder: str
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=80)] = "e-Meterai"
    public_url: str = ""
    api_key_file: str = ""
    certificates: str = (
        ""  # folder of PEM files of the issuer's root, seal and claims, for offline checks
    )
    authorities: str = ""  # for TLS, in addition to the system's
    payer: Payer | None = None
    mailbox: Mailbox | None = None
    seconds: dict[Component, _Seconds] = {}


class LocatedConfiguration(msgspec.Struct, frozen=True):
    """A configuration, and the folder that its paths are relative to."""

    of: WatcherConfiguration
    beside: Path

    def path(self, name: str) -> Path:
        """Resolve a path of the configuration."""
        return self.beside / name

    @property
    def folder(self) -> Path:
        """The folder of the watcher's state, key and public files."""
        return self.path(self.of.folder)

    @property
    def installation(self) -> str:
        """The URL of the platform, without a trailing slash."""
        return self.of.installation.rstrip("/")

    def secret(self, name: str) -> str:
        """Return the secret in the file with this name; an empty text if `name` is empty.  Refuses
        `ConfigurationOfWatchWrong`.
        """
        if not name:
            return ""
        try:
            return read_key_file(self.path(name)).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationOfWatchWrong(self.path(name), str(error)) from None


def read(path: Path) -> LocatedConfiguration:
    """Read a configuration file.  Refuses `ConfigurationOfWatchWrong`."""
    try:
        found = msgspec.convert(read_toml(read_settings_file(path)), WatcherConfiguration)
    except (OSError, ValueError) as error:
        raise ConfigurationOfWatchWrong(path, str(error)) from None
    mailbox = found.mailbox
    if mailbox and mailbox.addresses > 1 and "{n}" not in mailbox.address:
        raise ConfigurationOfWatchWrong(path, "mailbox.address: {n} is missing")
    return LocatedConfiguration(found, path.absolute().parent)
