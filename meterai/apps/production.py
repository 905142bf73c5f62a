"""Demands of production on a process and on the rooms, and the keys that production needs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from meterai.apps.rooms import ROOMS
from meterai.commands import (
    LOAD,
    Demand,
    Facts,
    KeyFile,
    is_a_public_host,
    open_key_files,
    open_secret_file,
    split_url,
)
from meterai.plumbing.config import NOT_FILES, Configuration, Settings
from meterai.plumbing.keyring import INSTANCE_KEY, new_secret
from meterai.room import Rooms

STANDIN_PORTS = ("bank_port", "mail_port", "drand_port", "midtrans_port")


def _public_address(of: Configuration) -> Iterator[Facts]:
    url = split_url(of.settings.process.public_url)
    is_one = (
        url is not None
        and url.scheme == "https"
        and url.username is None
        and is_a_public_host(url.hostname or "")
        and (url.path.rstrip("/"), url.query, url.fragment) == ("", "", "")
    )
    if not is_one:
        yield {"found": of.settings.process.public_url or "nothing"}


def _proxies(of: Configuration) -> Iterator[Facts]:
    if of.settings.process.proxies == 0:  # without a proxy there is no TLS: our server has none
        yield {}


def _port(of: Configuration) -> Iterator[Facts]:
    if of.settings.process.port == 0:
        yield {}


def _database(of: Configuration) -> Iterator[Facts]:
    if not of.settings.process.database_url and of.settings.process.database == "embedded":
        yield {}


def _development_directory(of: Configuration) -> Iterator[Facts]:
    folder = of.settings.process.directory / "standins"
    if any(of.value(name) for name in STANDIN_PORTS) or folder.exists():
        yield {"path": of.settings.process.data}


def _keys_there(of: Configuration) -> Iterator[Facts]:
    path = _instance_key(of.settings).path
    if not path.is_file():
        yield {"path": str(path)}


def _instance_key(settings: Settings) -> KeyFile:
    """Return the file of the instance key, which encrypts the stored objects. No other key can decrypt them, so a missing file
    is made only while no object is stored.
    """
    folder = settings.process.directory
    path = folder / "keys" / INSTANCE_KEY
    if not path.exists() and any((folder / "objects").glob("*/*")):
        return KeyFile(path, "instance_lost")
    return KeyFile(path, "instance", new_secret)


def _keys_closed(of: Configuration) -> Iterator[Facts]:
    yield from open_key_files(of.settings.process.directory / "keys")
    for source in sorted({of.sources[name] for name in of.settings.secrets()} - NOT_FILES):
        yield from open_secret_file(Path(source))  # `source` is a settings file with a secret


OWN: tuple[Demand, ...] = (
    Demand("public_address", ("public_url",), _public_address),
    Demand("proxies", ("proxies",), _proxies),
    Demand("port", ("port",), _port),
    Demand("database", ("database_url", "database"), _database, is_of_the_database=True),
    Demand(
        "development_directory",
        ("data", *STANDIN_PORTS),
        _development_directory,
        is_of_the_database=True,
    ),
    Demand("keys_there", ("data",), _keys_there),
    Demand("keys_closed", ("data",), _keys_closed),
)
UNDEMANDED: Mapping[str, str] = {
    "environment": "it decides whether this list applies",
    "host": (
        "loopback behind a proxy on this machine, or an address of the machine: both are valid"
    ),
    "workers": LOAD,
    "worker_concurrency": LOAD,
    "database_connections": LOAD,
    "metrics_port": "reachable from this machine only",
    "uploads_bytes_max": LOAD,
    "log_level": "at no level are secrets or personal data logged",
    "log_values": "production logs JSON, which leaves values out regardless of this setting",
}


def demands_of(rooms: Rooms = ROOMS) -> Sequence[Demand]:
    """Return every demand of production: of the process, and of each room."""
    return (*OWN, *(one for room in rooms for one in room.demands))


def keys_of(settings: Settings, rooms: Rooms = ROOMS) -> Iterable[KeyFile]:
    """Yield every key file that production needs, in an order in which each can be made from earlier ones."""
    yield _instance_key(settings)
    for room in rooms:
        yield from room.keys(settings)


def undemanded_of(rooms: Rooms = ROOMS) -> Mapping[str, str]:
    """Return every setting without a demand of production, with the reason why any value is acceptable."""
    return {
        name: why
        for of in (UNDEMANDED, *(room.undemanded for room in rooms))
        for name, why in of.items()
    }
